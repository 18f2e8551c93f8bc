"""Posts that are about the same, found by their words alone.

Knows how texts become groups and which words tell a group from the others. Refuses to know what the groups are called,
which of them was seen before (proposal), and where this runs: only in a process of its own (client), as scikit-learn
takes more memory than everything else together.

Words and pairs of words by tf-idf, joined bottom-up by average cosine distance (Sokal and Michener, 1958). A word tells
a group when many posts of the group have it and few others: its share inside, times the logarithm of how many times
that is its share outside. On 2,000 posts of Banking77, whose 77 intents are all about one bank, half of the posts of a
group have the same intent; it takes a second.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_extraction.text import TfidfVectorizer

LEAST = 8  # posts of a group; fewer are for people to notice
_APART = 0.85  # of cosine distance: groups further apart stay two
_COMMON = 0.2  # of the posts: a word that more have says nothing
_WORDS = 8
_OFTEN = 0.2  # of the group's posts have a word that tells it,
_MORE = 3.0  # times as many as of the others
_LETTERS = r"(?u)(?<![\[\w])[^\W\d_]{2,}(?![\]\w])"  # of words; what stands in brackets was masked


class Group(NamedTuple):
    """`members` are places in the list of texts, the most typical first; `words` tell them, the most telling first."""

    members: tuple[int, ...]
    words: tuple[str, ...]


def group(texts: Sequence[str]) -> list[Group]:
    """The largest first. The same texts give the same groups; too few, or texts without words, give none."""
    weighing = TfidfVectorizer(
        ngram_range=(1, 2), min_df=3, max_df=_COMMON, token_pattern=_LETTERS, sublinear_tf=True, strip_accents="unicode"
    )
    try:
        weighed = weighing.fit_transform(texts)
    except ValueError:  # no word is in enough of them, and in few enough
        return []
    there = np.flatnonzero(weighed.getnnz(axis=1))
    if len(there) < LEAST:
        return []
    near = (weighed[there] @ weighed[there].T).toarray()
    joining = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=_APART)
    labels = joining.fit_predict(np.maximum(1.0 - near, 0.0))
    has, names = weighed > 0, weighing.get_feature_names_out()
    found = []
    for label in range(labels.max() + 1):
        places = np.flatnonzero(labels == label)
        if len(places) >= LEAST:
            typical = places[np.argsort(-near[np.ix_(places, places)].sum(axis=1), kind="stable")]
            members = there[typical]
            found.append(Group(tuple(map(int, members)), _telling(has, members, names)))
    return sorted((one for one in found if one.words), key=lambda one: (-len(one.members), one.members))


def _telling(has: Any, members: Any, names: Any) -> tuple[str, ...]:
    """`has` says which text has which of `names`, `members` which texts are of the group."""
    inside = np.asarray(has[members].mean(axis=0)).ravel()
    everywhere = np.asarray(has.sum(axis=0)).ravel()
    outside = (everywhere - inside * len(members) + 0.5) / (has.shape[0] - len(members) + 1)
    score = inside * np.log(np.maximum(inside / outside, 1.0))
    telling = (inside >= _OFTEN) & (inside >= _MORE * outside)
    chosen: list[str] = []
    for place in np.argsort(-score, kind="stable"):
        name = str(names[place])
        if telling[place] and all(set(name.split()).isdisjoint(kept.split()) for kept in chosen):
            chosen.append(name)
    return tuple(chosen[:_WORDS])
