def test_first(planned, logic, scene):
    plan = logic.currentPlan(planned)
    assert [l.level for l in plan.levels] == ["T12", "L1", "L2"]
