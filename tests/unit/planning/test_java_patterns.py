"""Regular expressions: what Java reads and what it does not. JVMs say it, too: system/test_exporter_configurations.

Some 400 000 random patterns were also compared with Java 17 and 21; only look-behinds differed.
"""

import pytest

from klamm.planning.java_patterns import reason_java_cannot_read

READ = [
    *("", "|", "a|", "(a|b)*?", "{2}", "a{2}", "a{2,}", "a{2,3}+", "^*", "]", "}", "-", "é+", "()"),
    *("(?:a)", "(?=a)", "(?!a)", "(?>a)", "(?<=a+)b", "(?<!a)", "(?i)", "(?i-s)", "(?i:a)", "(?-i)a", r"(?<n>a)\k<n>"),
    *(r"\d\D\s\S\w\W\h\v\R\X", r"\b\B\A\z\Z\G", r"\b{g}", r"\b{2}", r"\1", r"\07\x41\x{1F600}\u0041\cA", r"\."),
    *(r"\pL\P{Alpha}", r"\N{SPACE}", "[]a]", "[^]]", "[a-z&&[^b]]", "[a-z&&]", "[a-]", "[a-[b]]", r"[\d-a]", "[&]"),
    *(r"\Q(\E", r"\Q(", r"a\Qb\E*", r"\\Q", "(?x)a b # (", r"[\Q]\E]"),
]
REFUSED = [
    ("(", "a ( is not closed"),
    (")", "a ) closes nothing"),
    ("*", "nothing stands before *"),
    ("(?i)+", "nothing stands before +"),
    ("a**", "nothing stands before *"),
    (r"\Q\E?", "nothing stands before ?"),
    ("kafka{", "a { begins no number of times"),
    ("a{,2}", "a { begins no number of times"),
    ("a{2,1}", "{2,1} is no number of times"),
    ("a{9999999999}", "{9999999999} is no number of times"),
    ("a[[:b]", "a [ is not closed"),
    ("[a-", "a [ is not closed"),
    ("[b-a]", "a range in [ ] runs backwards"),
    (r"[a-\d]", "a range in [ ] runs backwards"),
    ("[&&]", "nothing stands on either side of &&"),
    ("(?P<n>a)", "(?P is no kind of group"),
    ("(?#a)", "(?# is no kind of group"),
    ("(?<1>a)", "a group's name has letters and digits and ends with >"),
    ("(?<n>a)(?<n>b)", "the group n is there twice"),
    (r"\k<n>", r"\k names no group that stands before it"),
    (r"\b{g", r"\b{g is not closed"),
    (r"\y", r"\y stands for nothing"),
    (r"\E", r"\E stands for nothing"),
    ("\\", "\\ stands for nothing"),
    (r"\x4", r"\x stands for nothing"),
    (r"\x{110000}", r"\x{110000} is beyond the last character"),
    (r"\p", r"\p names no property"),
    (r"\NA", r"\N names no character"),
    (r"[\b]", r"\b stands for nothing"),
    (5000 * "(", "it is nested too deep"),
]


@pytest.mark.parametrize("pattern", READ)
def test_java_reads(pattern: str) -> None:
    assert reason_java_cannot_read(pattern) is None


@pytest.mark.parametrize(("pattern", "why"), REFUSED, ids=[row[1] for row in REFUSED])
def test_java_refuses(pattern: str, why: str) -> None:
    assert reason_java_cannot_read(pattern) == why
