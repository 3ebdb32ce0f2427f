"""Names made comparable: plain letters, one form for each pet name, a key for how a family name sounds.

Works on each distinct value once. Must never be called from outside linkage: what goes in and out are names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import pyarrow as pa

_BEYOND_ACCENTS: Final = str.maketrans(
    {"ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_OTHER_SCRIPTS: Final = """
аa бb вv гg ґg дd еe єe жzh зz иi іi йi кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch ъ ыy ь эe юyu яya јj љlj
њnj ћc ђdj џdz αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo
"""
"""Each Cyrillic and Greek letter, and what nearly all passports write for it (ICAO 9303, 2021)."""
_LATIN: Final = _BEYOND_ACCENTS | {ord(letter[0]): letter[1:] for letter in _OTHER_SCRIPTS.split()}
_TITLES: Final = frozenset(("mr", "mrs", "miss", "ms", "mx", "dr", "master", "sir"))
_EMPTY: Final = frozenset(
    (
        "unknown",
        "unk",
        "notknown",
        "na",
        "none",
        "nfn",
        "nfa",
        "anon",
        "anonymous",
        "test",
        "unnamed",
        "baby",
        "nil",
        "null",
        "xx",
        "xxx",
    )
)

_PET_NAMES: Final = """
abigail abbie abby gail; alexander alex alexandra sandra lex aleks aleksander aleksandra xander; alfred alfie alf
fred; amelia amy millie; andrew andy drew; anthony tony antony ant; archibald archie; arthur art; barbara barb babs;
benjamin ben benny; bernard bernie; beverley bev; bradley brad; brenda bren; cameron cam; catherine cathy kate katie
katherine kathryn kathy cath kath kat kitty catrin; charles charlie chas chuck charlotte lottie; christopher chris
christine christina kris christian tina; clifford cliff; connor con; daniel dan danny danielle dani; david dave
davey dafydd; deborah debbie deb debra; dennis den; derek del; dominic dom; donald don donny; dorothy dot dotty;
douglas doug; edward ed eddie ted teddy ned edwin; eleanor ellie nell; elizabeth liz lizzie beth betty eliza libby
lisa bethany elspeth; emily em; frances fran francis frank frankie; frederick freddie freddy; gabriel gabe gabriella
gabby; gareth gaz gary; geoffrey geoff jeff jeffrey; george georgie georgia georgina; gerald gerry gerard; gillian
gill jill; grace gracie; graham gray; gregory greg; harold hal; harriet hattie; henry harry hank; hugh huw hughie;
imran immy; isabella isabel izzy bella isobel isabelle; jacob jake jakub; jacqueline jackie jacqui; james jim jimmy
jamie jem; janet jan; jennifer jenny jen jenna; jessica jess jessie; joanne jo joanna; john johnny jon jonathan
jonny; joseph joe joey josef; joshua josh; judith judy; julia julie jules; kenneth ken kenny; kimberley kim;
lawrence larry laurence lawrie; leonard len lenny leo; leslie les lesley; lewis lew louis lou; louise lulu; luke
lucas lukas; lucy lucia lucie; margaret maggie meg peggy marge megan; martin marty; matthew matt matty mateusz;
maureen mo; maxwell max maximilian; michael mick mike mickey micky michal mikey; michelle shell michele; mohammed
mohammad muhammad muhammed mohamed mohamad mohd mo mohamud mahomed; nathan nate nathaniel; nicholas nick nicky
nicola nicole nic; oliver ollie olly olivia liv; pamela pam; patricia pat trish tricia patrick paddy; penelope
penny; peter pete piotr; philip phil phillip pip; rachel rach rachael; raymond ray; rebecca becky becca bex;
reginald reg reggie; richard rick dick ricky richie rich; robert bob rob bobby robbie bert; roger rodge; ronald ron
ronnie; rosemary rose rosie; russell russ; samuel sam sammy samantha; sandeep sandy; sarah sara sally; sean shaun
shawn; shannon shan; simon si; sophie sophia sofia; stanley stan; stephen steve steven stevie stephanie steph;
stuart stewart stu; susan sue susie suzanne suzie; terence terry theresa teresa tess; theodore theo; thomas tom
tommy tomasz; timothy tim; tobias toby; tracey tracy; trevor trev; tyler ty; valerie val; victoria vicky tori vic
victor; vincent vince vinny; walter walt wally; wendy wend; william bill will billy willie; yasmin yasmine jasmine
jasmin; zachary zach zack; zoe zoey; abdul abdullah abdallah; ahmed ahmad achmed; aisha aysha ayesha; ali aly;
fatima fatimah faduma fatema; hassan hasan; hussain hussein husain husayn; ibrahim ebrahim; khadija khadijah kadija;
mariam maryam miriam marium; omar umar; osman usman uthman; syed sayed said saeed; tariq tarik tareq; zainab zaynab
zeinab; oluwaseun seun; oluwatobi tobi; babatunde tunde; temitope tope temi; funmilayo funmi; katarzyna kasia;
malgorzata gosia; aleksandr sasha; wojciech wojtek
"""


def _roots() -> dict[str, str]:
    groups = [group.split() for group in _PET_NAMES.split(";")]
    return {name: group[0] for group in reversed(groups) for name in group}


_ROOT_OF: Final = _roots()


def each(column: pa.Array | pa.ChunkedArray, change: Callable[[str], str | None]) -> pa.Array:
    """Change each distinct text of a column once; null stays null, and what `change` gives up becomes null."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = whole.dictionary_encode()
    changed = pa.array([change(value) for value in coded.dictionary.to_pylist()], pa.string())
    return changed.take(coded.indices)


@lru_cache(maxsize=100_000)
def plain(text: str) -> str:
    """Lower-case words of plain letters and digits, one space between them.

    Examples
    --------
    >>> plain("  O'Brien-Łódzki, Zoë ")
    'obrien lodzki zoe'
    >>> plain("Олександр"), plain("Γιώργος")
    ('oleksandr', 'giorgos')
    """
    folded = unicodedata.normalize("NFKD", text.lower())
    letters = "".join(letter for letter in folded if not unicodedata.combining(letter)).translate(_LATIN)
    return " ".join(re.sub(r"[^\w]+|_", " ", re.sub(r"['’`´.]", "", letters)).split())


def given(text: str) -> str | None:
    """A given name as one word of letters, titles and place-holders gone.

    Examples
    --------
    >>> given("Mrs Mary-Ann"), given("unknown")
    ('maryann', None)
    """
    words = [word for word in plain(text).split() if word not in _TITLES]
    joined = "".join(words)
    return joined if joined and joined not in _EMPTY else None


def root(text: str) -> str | None:
    """The name behind a pet name, a spelling or a first of several given names.

    Examples
    --------
    >>> root("Kate"), root("Mohamed Ali"), root("Wilhelmina")
    ('catherine', 'mohammed', 'wilhelmina')
    """
    words = [word for word in plain(text).split() if word not in _TITLES]
    joined = given(text)
    if joined is None:
        return None
    return _ROOT_OF.get(joined) or _ROOT_OF.get(words[0]) or joined


def family(text: str) -> str | None:
    """A family name as one word of letters.

    Examples
    --------
    >>> family("Smith - Jones"), family("al Hassan")
    ('smithjones', 'alhassan')
    """
    joined = "".join(plain(text).split())
    return joined if joined and joined not in _EMPTY else None


def parts(text: str) -> str | None:
    """The name and its longer parts, for names that gain or lose a half: separated by spaces.

    Examples
    --------
    >>> parts("Smith-Jones"), parts("al Hassan")
    ('jones smith smithjones', 'alhassan hassan')
    """
    joined = family(text)
    if joined is None:
        return None
    words = plain(re.sub(r"['’]", "", text)).split()
    return " ".join(sorted({joined, *(word for word in words if len(word) > 2)}))


_SOUND_OF: Final = {
    letter: code for code, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), 1) for letter in letters
}


def sound(word: str) -> str | None:
    """How a name sounds: its first sound and up to three more (after Russell's Soundex, 1918).

    The first letter counts as its sound class, so that Kathryn and Catherine, Philips and Fillips agree.

    Examples
    --------
    >>> sound("catherine") == sound("kathryn"), sound("philips") == sound("fillips")
    (True, True)
    """
    word = re.sub(r"[^a-z]", "", word).replace("ph", "f").replace("wh", "w").replace("kn", "n").replace("wr", "r")
    if not word:
        return None
    codes, before = [], None
    for letter in word:
        code = _SOUND_OF.get(letter)
        if code is not None and code != before:
            codes.append(str(code))
        if letter not in "hw":
            before = code
    start = "0" if _SOUND_OF.get(word[0]) is None else ""
    return (start + "".join(codes))[:4]
