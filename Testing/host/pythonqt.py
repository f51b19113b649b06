"""PySide6 objects behind PythonQt's manners: properties are attributes, methods are called, nothing else is there.

Slicer reaches Qt through PythonQt on Qt 5.15. What PySide6 would forgive must fail here as it fails there:
``label.text()`` (a property is a string, not a function), scoped enums, keyword arguments, methods that only Qt 6
has. So every class offers its Qt properties, its signals and the methods listed in :mod:`.qt515`, and no more.

Stands for PythonQt ``src/PythonQtInstanceWrapper.cpp`` (``PythonQtInstanceWrapper_getattro`` and ``_setattro``:
property before method, ``name`` as an alias of ``objectName`` from ``PythonQtClassInfo::lookForPropertyAndCache``,
dynamic properties after both, an unknown attribute cannot be set) and ``src/PythonQtSignalReceiver.cpp``
(``PythonQtSignalTarget::call``: a Python function gets as many of the signal's arguments as it takes; an exception
is printed and swallowed).
"""

from __future__ import annotations

import inspect
import re
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import shiboken6
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from .qt515 import ENUMS, METHODS, STATIC_METHODS

_MODULES = (QtCore, QtGui, QtWidgets, QtUiTools)
_classes: dict[type, type] = {}
_living: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def _find_enum_value(native_class: type, name: str) -> Any:
    """An unscoped enumerator (``Qt.AlignRight``), as C++ and PythonQt spell it."""
    for owner in native_class.__mro__:
        if name not in ENUMS.get(owner.__name__, ()):
            continue
        for member in vars(owner).values():
            if isinstance(member, type) and name in getattr(member, "__members__", ()):
                return member[name]
    return None


class PythonQtClass(type):
    """Type of the wrapper classes: enumerators and static methods are reached through the class."""

    def __getattr__(cls, name: str) -> Any:
        native_class = cls.__dict__.get("_native_class")
        if native_class is None:
            raise AttributeError(name)
        value = _find_enum_value(native_class, name)
        if value is not None:
            return value
        for owner in native_class.__mro__:
            if name in STATIC_METHODS.get(owner.__name__, ()):
                return _Method(getattr(native_class, name), f"{cls.__name__}.{name}")
        raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        if keywords:
            raise TypeError(f"{cls.__name__}() takes no keyword arguments in PythonQt")
        native = cls._native_class(*(unwrap(argument) for argument in arguments))  # type: ignore[attr-defined]
        return wrap(native)


class _Method:
    """A bound slot or decorated method."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function, self._name = function, name

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if keywords:
            raise TypeError(f"{self._name}() takes no keyword arguments in PythonQt")
        return wrap(self._function(*(unwrap(argument) for argument in arguments)))


class _Signal:
    """``widget.clicked``: connect, disconnect, and calling it emits."""

    def __init__(self, owner: PythonQtObject, name: str) -> None:
        self._owner, self._name = owner, name

    def connect(self, receiver: Any) -> bool:
        return self._owner.connect(_first_signature(self._owner._native, self._name), receiver)

    def disconnect(self, receiver: Any) -> bool:
        return self._owner.disconnect(_first_signature(self._owner._native, self._name), receiver)

    def __call__(self, *arguments: Any) -> None:
        getattr(self._owner._native, self._name).emit(*(unwrap(argument) for argument in arguments))


class PythonQtObject(metaclass=PythonQtClass):
    """One wrapped Qt object. The same object has the same wrapper as long as somebody holds it."""

    _native: Any

    def __getattr__(self, name: str) -> Any:
        native = self.__dict__["_native"]
        if isinstance(native, QtCore.QObject):
            if not shiboken6.isValid(native):
                raise ValueError(f"Trying to read '{name}' from a destroyed {type(self).__name__} object")
            meta = native.metaObject()
            alias = "objectName" if name == "name" else name
            if meta.indexOfProperty(alias) >= 0:
                return wrap(native.property(alias))
        for owner in type(native).__mro__:
            if name in METHODS.get(owner.__name__, ()):
                return _Method(getattr(native, name), f"{type(self).__name__}.{name}")
            if name in STATIC_METHODS.get(owner.__name__, ()):
                return _Method(getattr(native, name), f"{type(self).__name__}.{name}")
        if isinstance(native, QtCore.QObject):
            if name == "className":
                return lambda: type(native).__name__
            if _signatures(native, name):
                return _Signal(self, name)
            dynamic = native.property(name)
            if dynamic is not None:
                return wrap(dynamic)
        value = _find_enum_value(type(native), name)
        if value is not None:
            return value
        raise AttributeError(f"{type(self).__name__} has no attribute named '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        native = self.__dict__["_native"]
        if not isinstance(native, QtCore.QObject):
            raise AttributeError(f"Attribute '{name}' does not exist and creating new attributes is not allowed")
        alias = "objectName" if name == "name" else name
        index = native.metaObject().indexOfProperty(alias)
        if index < 0 and native.property(alias) is None:
            raise AttributeError(
                f"Attribute '{name}' does not exist on {type(self).__name__} and creating new attributes on C++ "
                "objects is not allowed"
            )
        if index >= 0 and not native.metaObject().property(index).isWritable():
            raise AttributeError(f"Property '{name}' of {type(self).__name__} object is not writable")
        self._write(alias, value, index)

    def _write(self, name: str, value: Any, index: int) -> None:
        native = self.__dict__["_native"]
        plain = unwrap(value)
        if index >= 0:
            kind = native.metaObject().property(index).typeName()
            if (kind == "QString" and not isinstance(plain, str)) or (
                kind in ("int", "double", "bool") and (plain is None or isinstance(plain, str))
            ):
                raise AttributeError(f"Property '{name}' of type '{kind}' does not accept {plain!r}")
            if kind == "int" and isinstance(plain, float):
                # PythonQtConv::PyObjGetInt (strict false) truncates a float given to an int property.
                plain = int(plain)
        native.setProperty(name, plain)

    def connect(self, signal: str, receiver: Any, *more: Any) -> bool:
        """``connect("clicked(bool)", function)``; ValueError where the signal does not exist in this spelling."""
        if more:
            raise TypeError("only connect(signal, callable) is offered by the test host")
        if not callable(receiver):
            raise TypeError("the receiver is not callable")
        native = self.__dict__["_native"]
        name, count = _resolve(native, signal)
        relay = _Relay(signal, receiver, count)
        key = shiboken6.getCppPointer(native)[0]
        if key not in _relays:
            _relays[key] = []
            native.destroyed.connect(lambda *_: _relays.pop(key, None))
        _relays[key].append(relay)
        getattr(native, name).connect(relay.call)
        return True

    def disconnect(self, signal: str | None = None, receiver: Any = None) -> bool:
        """Undo :meth:`connect`; False where there was no such connection."""
        native = self.__dict__["_native"]
        relays = _relays.get(shiboken6.getCppPointer(native)[0], [])
        found = [
            relay
            for relay in relays
            if (signal is None or relay.signal == signal) and (receiver is None or relay.receiver == receiver)
        ]
        for relay in found:
            getattr(native, _resolve(native, relay.signal)[0]).disconnect(relay.call)
            relays.remove(relay)
        return bool(found)

    def __bool__(self) -> bool:
        native = self.__dict__["_native"]
        return not isinstance(native, QtCore.QObject) or shiboken6.isValid(native)

    def __repr__(self) -> str:
        return f"{type(self).__name__} (test host)"


_relays: dict[int, list[_Relay]] = {}


class _Relay:
    """Calls a receiver with as many arguments as it takes; prints what it raises."""

    def __init__(self, signal: str, receiver: Callable[..., Any], count: int) -> None:
        self.signal, self.receiver = signal, receiver
        taken = _argument_count(receiver)
        self.count = count if taken is None else min(count, taken)
        # PySide6 chooses among a signal's overloads by the receiver's own number of arguments.
        self.call: Callable[..., None] = (
            lambda: self._call(),
            lambda a: self._call(a),
            lambda a, b: self._call(a, b),
            lambda a, b, c: self._call(a, b, c),
            lambda a, b, c, d: self._call(a, b, c, d),
        )[count]

    def _call(self, *arguments: Any) -> None:
        try:
            self.receiver(*(wrap(argument) for argument in arguments[: self.count]))
        except Exception:  # PythonQt::handleError prints and goes on; the workflow's watcher hears the print
            sys.excepthook(*sys.exc_info())


def _argument_count(receiver: Callable[..., Any]) -> int | None:
    """Positional arguments of a Python function or method; None where PythonQt passes all it has."""
    function, bound = receiver, 0
    if inspect.ismethod(receiver):
        function, bound = receiver.__func__, 1
    if not isinstance(function, types.FunctionType):
        return None
    code = function.__code__
    return None if code.co_flags & inspect.CO_VARARGS else code.co_argcount - bound


def _signatures(native: QtCore.QObject, name: str) -> list[str]:
    declared = getattr(type(native), "SIGNALS", {})
    if declared:
        mine = [signature for signature in declared if signature.partition("(")[0] == name]
        if mine:
            return mine
    meta = native.metaObject()
    methods = (meta.method(index) for index in range(meta.methodCount()))
    return [
        bytes(method.methodSignature().data()).decode()
        for method in methods
        if method.methodType() == QtCore.QMetaMethod.MethodType.Signal and bytes(method.name().data()).decode() == name
    ]


def _first_signature(native: QtCore.QObject, name: str) -> str:
    signatures = _signatures(native, name)
    if not signatures:
        raise AttributeError(f"no signal {name}")
    return signatures[0]


def _resolve(native: QtCore.QObject, signal: str) -> tuple[str, int]:
    """Attribute name of a signal and its number of arguments."""
    wanted = re.sub(r"\s+|const\b|&", "", signal)
    name, _, rest = wanted.partition("(")
    arguments = [part for part in rest.rstrip(")").split(",") if part]
    known = {re.sub(r"\s+|const\b|&", "", signature): signature for signature in _signatures(native, name)}
    if "(" not in wanted:
        raise ValueError(f"give the signal {signal!r} with its arguments, as in clicked(bool)")
    if wanted not in known:
        raise ValueError(f"{type(native).__name__} has no signal {signal!r}; it has {sorted(known) or 'none so named'}")
    declared = getattr(type(native), "SIGNALS", {})
    return declared.get(known[wanted], name), len(arguments)


def wrapper_class(native_class: type) -> type:
    """The class that stands for a PySide6 class in the module ``qt`` (``ctk``, ``slicer``)."""
    if native_class not in _classes:
        bases = tuple(
            wrapper_class(base)
            for base in native_class.__bases__
            if base.__module__.startswith("PySide6") or hasattr(base, "staticMetaObject")
        )
        name = native_class.__name__
        _classes[native_class] = PythonQtClass(name, bases or (PythonQtObject,), {"_native_class": native_class})
    return _classes[native_class]


def wrap(value: Any) -> Any:
    """A Qt object as PythonQt would hand it to Python; plain values and VTK objects pass through."""
    if isinstance(value, list):
        return tuple(wrap(item) for item in value) if value and _is_native(value[0]) else value
    if not _is_native(value):
        return value
    key = shiboken6.getCppPointer(value)[0]
    known = _living.get(key)
    if known is not None and known.__dict__["_native"] is value:
        return known
    wrapper = object.__new__(wrapper_class(type(value)))
    wrapper.__dict__["_native"] = value
    _living[key] = wrapper
    return wrapper


def unwrap(value: Any) -> Any:
    """The PySide6 object behind a wrapper.

    Scalars of NumPy are refused: where PythonQt meets a QVariant or an overloaded method it takes ``int``, ``float`` and
    ``bool`` by their exact type (``PythonQtConversion.cpp``, ``PyObjToQVariant`` and ``PyObjGetInt`` with ``strict``),
    and whether anything else is converted depends on the argument.
    """
    if isinstance(value, np.generic):
        raise TypeError(f"{type(value).__name__} given to Qt; make it a plain int, float, bool or str")
    if isinstance(value, PythonQtObject):
        return value.__dict__["_native"]
    if isinstance(value, (list, tuple)):
        return [unwrap(item) for item in value]
    return value


def _is_native(value: Any) -> bool:
    return isinstance(value, shiboken6.Shiboken.Object) and not isinstance(value, QtCore.SignalInstance)


def find_class(name: str) -> type | None:
    """The PySide6 class of that name."""
    for module in _MODULES:
        if hasattr(module, name):
            return getattr(module, name)
    return None
