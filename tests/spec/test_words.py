"""Every case of the specification, on the reference and on the kernel; and no word without a case."""

from riskmodel.features.feature import NODES, from_document


def test_the_answer_worked_by_hand(case, evaluate, same_answers):
    assert same_answers(evaluate(case), case.expected), (evaluate(case), case.expected)


def test_the_document_gives_the_same_feature(case):
    assert from_document(case.feature.document()) == case.feature
    assert case.feature.name == from_document(case.feature.document()).name


def test_every_word_has_a_case(request):
    spec = request.config.pluginmanager  # the cases live in conftest, which every plugin manager holds
    cases = next(plugin.cases for plugin in spec.get_plugins() if hasattr(plugin, "by_kernel"))
    assert {case.feature.word for case in cases()} == set(NODES)
