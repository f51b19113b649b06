"""``slicer.parameterNodeWrapper``: typed parameters on a parameter node, bound to widgets by ``SlicerParameterName``.

Stands for Slicer ``Base/Python/slicer/parameterNodeWrapper`` (``wrapper.py``: ``_initMethod``, ``_connectGui``,
``_disconnectGui``; ``serializers.py``: numbers, strings and booleans as text of ``SetParameter``, nodes as node
references; ``validators.py``; ``guiConnectors.py``: which widget goes with which type). Only the types and widgets the
panel uses; anything else raises. Where ``VAP_SLICER_SOURCE`` names a checkout of Slicer, its own files are used
instead of this one.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any

from vtkmodules.vtkCommonCore import vtkCommand


class Validator:
    """Base of the annotations below."""

    def validate(self, value: Any) -> None:
        raise NotImplementedError


class WithinRange(Validator):
    def __init__(self, minimum: float, maximum: float) -> None:
        self.minimum, self.maximum = minimum, maximum

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


class Choice(Validator):
    def __init__(self, choices: typing.Sequence[Any]) -> None:
        self.choices = choices

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be in one of the following: {self.choices}")


class _Parameter:
    """One member: reads and writes its parameter or node reference."""

    def __init__(self, name: str, annotated: Any, default: Any) -> None:
        import slicer

        plain, *notes = typing.get_args(annotated) if typing.get_origin(annotated) is typing.Annotated else (annotated,)
        self.name, self.kind, self.notes = name, plain, notes
        self.is_node = isinstance(plain, type) and issubclass(plain, slicer.vtkMRMLNode)
        if not self.is_node and plain not in (str, float, int, bool):
            raise TypeError(f"the test host has no serializer for {plain}")
        self.default = default if default is not None or self.is_node else plain()

    def read(self, node: Any) -> Any:
        if self.is_node:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        return text == "True" if self.kind is bool else self.kind(text)

    def write(self, node: Any, value: Any) -> None:
        if self.is_node:
            if value is not None and not isinstance(value, self.kind):
                raise TypeError(f"Value must be of type '{self.kind}', is '{type(value)}'")
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            return
        allowed = (int, float) if self.kind is float else self.kind
        if value is None or not isinstance(value, allowed):
            raise TypeError(f"{self.name}: value must be {self.kind.__name__}, is {value!r}")
        for note in self.notes:
            note.validate(value)
        node.SetParameter(self.name, str(value))

    def is_in(self, node: Any) -> bool:
        return self.is_node or bool(node.HasParameter(self.name))


class _Connector:
    """Binds one widget to one parameter."""

    def __init__(self, widget: Any, parameter: _Parameter) -> None:
        import qt
        import slicer
        from ctk import ctkSliderWidget

        self.widget, self.callback = widget, None
        kind, notes = parameter.kind, parameter.notes
        if type(widget) is qt.QCheckBox and kind is bool:
            self.signal, self.read, self.write = "stateChanged(int)", lambda: widget.checked, self._set("checked")
        elif type(widget) is qt.QComboBox and kind is str:
            choices = [str(choice) for note in notes if isinstance(note, Choice) for choice in note.choices]
            if not choices:
                raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
            widget.clear()
            for choice in choices:
                widget.addItem(choice)
            # guiConnectors.py, QComboBoxToStringableConnector: bound by position, whatever the texts are
            self.signal, self.read, self.write = (
                "currentIndexChanged(int)",
                lambda: choices[widget.currentIndex],
                lambda value: setattr(widget, "currentIndex", choices.index(value)),
            )
        elif type(widget) in (ctkSliderWidget, qt.QDoubleSpinBox) and kind in (float, int):
            for note in notes:
                if isinstance(note, WithinRange):
                    widget.minimum, widget.maximum = note.minimum, note.maximum
            self.signal, self.read, self.write = "valueChanged(double)", lambda: widget.value, self._set("value")
        elif type(widget) is slicer.qMRMLNodeComboBox and parameter.is_node:
            widget.nodeTypes = (parameter.kind().GetClassName(),)
            self.signal, self.read, self.write = (
                "currentNodeChanged(vtkMRMLNode*)",
                widget.currentNode,
                widget.setCurrentNode,
            )
        else:
            raise RuntimeError(
                f"Unable to create GUI connector from datatype '{kind}' to widget type '{type(widget)}'."
            )

    def _set(self, name: str) -> Callable[[Any], None]:
        return lambda value: setattr(self.widget, name, value)

    def changed(self) -> None:
        if self.callback:
            self.callback()

    def on_changed(self, callback: Callable[[], None] | None) -> None:
        self.callback = callback
        if callback is None:
            self.widget.disconnect(self.signal, self.changed)
        else:
            self.widget.connect(self.signal, self.changed)


class _Wrapper:
    """What ``@parameterNodeWrapper`` adds to a class."""

    allParameters: typing.ClassVar[dict[str, _Parameter]]

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:  # noqa: N803
        self.parameterNode = parameterNode
        self._connections: dict[int, tuple[list[tuple[str, _Connector]], int]] = {}
        self._updating = False
        for parameter in self.allParameters.values():
            if not parameter.is_in(parameterNode):
                parameter.write(parameterNode, parameter.default)

    def getValue(self, name: str) -> Any:  # noqa: N802
        return self.allParameters[name].read(self.parameterNode)

    def setValue(self, name: str, value: Any) -> None:  # noqa: N802
        self.allParameters[name].write(self.parameterNode, value)

    def connectGui(self, gui: Any) -> int:  # noqa: N802
        pairs = []
        for widget in gui.__dict__.values():
            name = widget.property("SlicerParameterName")
            if name:
                if name not in self.allParameters:
                    raise ValueError(f"Cannot find a param with the given name: {name}")
                pairs.append((name, _Connector(widget, self.allParameters[name])))
        for name, connector in pairs:
            connector.write(self.getValue(name))
            connector.on_changed(self._from_gui(name, connector))
        tag = self.AddObserver(vtkCommand.ModifiedEvent, lambda *_: self._to_gui())
        number = max(self._connections, default=-1) + 1
        self._connections[number] = (pairs, tag)
        return number

    def disconnectGui(self, tag: int) -> None:  # noqa: N802
        pairs, observer = self._connections.pop(tag, ([], None))
        for _, connector in pairs:
            connector.on_changed(None)
        if observer is not None:
            self.RemoveObserver(observer)

    def _from_gui(self, name: str, connector: _Connector) -> Callable[[], None]:
        def write() -> None:
            if not self._updating:
                self.setValue(name, connector.read())

        return write

    def _to_gui(self) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            for pairs, _ in self._connections.values():
                for name, connector in pairs:
                    connector.write(self.getValue(name))
        finally:
            self._updating = False

    def StartModify(self) -> Any:  # noqa: N802
        return self.parameterNode.StartModify()

    def EndModify(self, was: Any) -> Any:  # noqa: N802
        return self.parameterNode.EndModify(was)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:  # noqa: N802
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:  # noqa: N802
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:  # noqa: N802
        self.parameterNode.Modified()


def parameterNodeWrapper(classtype: type) -> type:  # noqa: N802
    """Class decorator."""
    hints = typing.get_type_hints(classtype, include_extras=True)
    parameters = {name: _Parameter(name, hint, getattr(classtype, name, None)) for name, hint in hints.items()}
    members: dict[str, Any] = {
        "__doc__": classtype.__doc__,
        "__module__": classtype.__module__,
        "allParameters": parameters,
    }
    for name in parameters:
        members[name] = property(
            lambda self, name=name: self.getValue(name), lambda self, value, name=name: self.setValue(name, value)
        )
    return type(classtype.__name__, (_Wrapper,), members)
