"""Does a message say that its writer is not content with the answer before it?

A short list of phrases in six languages, meant to be sure rather than complete: what it finds costs money, what it misses costs
nothing that was not lost already.
"""

from __future__ import annotations

import re

LONGEST_CHARACTERS = 300  # in a longer message such a phrase is rather part of its subject

_PHRASES = (
    # English
    r"(?:this|that|it)(?:'s| is| was) (?:just |still |completely |totally |simply )?(?:wrong|incorrect)",
    r"(?:this|that|it)(?:'s| is| was) (?:just |still |simply )?not (?:right|correct|true|helpful)",
    r"(?:isn't|wasn't|not) what i (?:asked|meant|wanted|said|need)",
    r"you (?:didn't|did not|don't|do not) (?:answer|understand|listen|get it|read)",
    r"you(?:'re| are) (?:wrong|not listening|useless|not helping|mistaken)",
    r"(?:wrong|bad|useless|terrible) answer",
    r"(?:please )?try (?:it )?again[.!]*$",
    r"still (?:wrong|incorrect|not (?:working|right|correct)|doesn't work|does not work)",
    r"(?:that|this|it) (?:doesn't|does not|didn't|did not) (?:help|work|answer|make (?:any )?sense)",
    r"(?:already|just) (?:told you|said that|asked (?:you )?that)",
    r"are you (?:even )?(?:listening|kidding|serious)",
    r"for the (?:second|third|last|hundredth|umpteenth) time",
    r"(?:totally|completely|so|absolutely) (?:useless|frustrating|annoying)",
    r"this is (?:useless|ridiculous|frustrating|nonsense|hopeless)",
    r"\b(?:wtf|ffs)\b",
    # German
    r"das (?:ist|war|stimmt) (?:immer noch |leider |doch |einfach )?(?:falsch|nicht(?: richtig| das| was|[.!]|$)|quatsch|unsinn)",
    r"nicht (?:meine frage|was ich (?:wollte|meinte|gefragt))",
    r"(?:du verstehst|sie verstehen) (?:mich |es )?nicht",
    r"(?:funktioniert|geht) (?:immer noch|leider) nicht",
    r"hab(?:e)? ich (?:doch )?(?:schon|bereits) gesagt",
    r"versuch(?:e|en sie)? es (?:noch ?mal|noch einmal|erneut)",
    # French
    r"c'est (?:toujours )?(?:faux|n'importe quoi)",
    r"ce n'est pas ce que (?:j'ai|je)",
    r"(?:tu n'as|vous n'avez) (?:pas|rien) compris",
    r"(?:ça|cela) ne (?:marche|fonctionne) (?:toujours )?pas",
    r"(?:je l'ai|j'ai) déjà dit",
    # Spanish
    r"(?:eso|esto) (?:está mal|no es (?:correcto|lo que))",
    r"no es lo que (?:pedí|pregunté|quería|quise)",
    r"no (?:me )?(?:entiendes|entendiste|entiende usted)",
    r"(?:sigue sin funcionar|todavía no funciona)",
    r"ya te lo dije",
    # Italian
    r"(?:questo )?è sbagliato",
    r"non è quello che (?:ho|volevo|intendevo)",
    r"non hai capito",
    r"(?:ancora non|non) funziona ancora",
    # Portuguese
    r"(?:isso )?está errado",
    r"não (?:é|foi) (?:isso )?o que (?:eu )?(?:pedi|perguntei|queria)",
    r"(?:você )?não entendeu",
    r"(?:continua sem funcionar|ainda não funciona)",
)
_FRUSTRATED = re.compile(r"(?<!\w)(?:" + "|".join(_PHRASES) + r")(?!\w)")


def is_frustrated(text: str) -> bool:
    """Whether one of the phrases occurs in a short message. Cost: some 10 microseconds."""
    if len(text) > LONGEST_CHARACTERS:
        return False
    return _FRUSTRATED.search(text.casefold().replace("’", "'")) is not None
