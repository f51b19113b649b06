"""The only room that knows Qt: the panel, one class per section, and the progress dialog.

:class:`.panel.PlannerPanel` gets its logic through the constructor, so that a test can hand in another. Everything it
knows about the application it asks of the logic and of ``scene.ui_support``. Written for PythonQt on Qt 5.15: Qt
properties are attributes (``button.enabled``), enumerators are unscoped (``qt.Qt.AlignRight``).
"""
