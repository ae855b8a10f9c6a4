"""What do people write that has to be labelled? Messages per label, asides that only touch on it, and why it fits.

No text names a label of its own scheme other than by accident of the grader's whole-word rule: reasons never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A set of labels. messages: sentences that make the label right; passing: asides that do not; reasons: "the writer ..."."""

    feature: str
    task: str
    messages: Mapping[str, tuple[str, ...]]
    passing: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]


_TICKETS = Scheme(
    feature="ticket-triage",
    task="Which team should handle this support message?",
    messages={
        "billing": (
            "I was charged twice for the {product} on my last statement.",
            "The amount taken from my card is higher than the price shown for the {product}.",
            "I need a corrected receipt with our tax number for the {product}.",
            "A monthly fee shows up that I never agreed to.",
            "My discount code was accepted, yet the full price was taken.",
        ),
        "shipping": (
            "The {product} I ordered two weeks ago still has not arrived.",
            "The tracking page has not moved for eight days.",
            "The parcel with my {product} went to the wrong street.",
            "The driver left the {product} in the rain next to the bins.",
            "I need the {product} by Friday: is there a faster courier?",
        ),
        "returns": (
            "I want to send the {product} back because it does not fit.",
            "How do I get a label to give the {product} back to you?",
            "I changed my mind about the {product} and want my money back once you have it.",
            "You received my {product} back last week, when will it be credited?",
            "Can I swap the {product} for a larger one?",
        ),
        "technical": (
            "The app crashes each time I open the page of the {product}.",
            "The search box on your site shows an error with code 502.",
            "Pictures in the shop do not load since the last update.",
            "The checkout button does nothing in my browser.",
            "The firmware of the {product} stops halfway through its update.",
        ),
        "account": (
            "I cannot sign in, the reset mail never comes.",
            "Please change the e-mail address on my profile.",
            "I want my profile and all my data deleted.",
            "Someone else seems to be using my login.",
            "The two-step code is sent to my old phone.",
        ),
    },
    passing={
        "billing": ("I paid by card, as always.", "The price of the {product} was fine."),
        "shipping": ("The parcel itself came on time.", "The courier was friendly, by the way."),
        "returns": ("I do not want to give anything back.", "I would rather keep the {product}."),
        "technical": ("Your app works well for me otherwise.", "The site was a bit slow today, never mind that."),
        "account": ("I am signed in with my usual e-mail.", "My profile has been with you for years."),
    },
    reasons={
        "billing": "is asking about money that was taken",
        "shipping": "is waiting for a parcel to get to the right place",
        "returns": "wants to give an article back",
        "technical": "reports that the software misbehaves",
        "account": "has trouble with a login or profile",
    },
)

_REVIEWS = Scheme(
    feature="review-insights",
    task="What is the sentiment of this review?",
    messages={
        "positive": (
            "The {product} is the best purchase I made this year.",
            "I love how solid the {product} feels.",
            "Everyone at home wants to use the {product} now.",
            "Setting up the {product} took a minute, and it works beautifully.",
            "Worth every cent, I would buy the {product} again.",
        ),
        "negative": (
            "The {product} broke on the second day.",
            "I regret buying the {product}, it is useless to me.",
            "The {product} smells of glue and looks cheap.",
            "Never again: the {product} is nothing like the pictures.",
            "I threw the {product} away after a week.",
        ),
        "neutral": (
            "The {product} came in a brown box and weighs about a kilo.",
            "I have not used the {product} enough to say anything yet.",
            "The {product} has two settings and a cable of one metre.",
            "It is a {product}, as described, no more and no less.",
            "I bought the {product} for a colleague who has yet to open it.",
        ),
    },
    passing={
        "positive": ("The wrapping was nice enough.", "Friends had praised it."),
        "negative": ("The box had a small dent.", "A neighbour had warned me."),
        "neutral": ("It was ordered on a Tuesday.", "The manual has twelve pages."),
    },
    reasons={
        "positive": "is happy with the article",
        "negative": "is let down by the article",
        "neutral": "describes the article without praise or complaint",
    },
)

_ASSISTANT = Scheme(
    feature="assistant-router",
    task="Which intent does this request to a home assistant have?",
    messages={
        "set_alarm": (
            "Wake me at half past six tomorrow.",
            "Make it ring at seven on weekdays.",
            "I must not oversleep, get me up at five.",
            "Ring in forty minutes so that I get the {product} ready.",
        ),
        "play_music": (
            "Put on something calm with piano.",
            "I want to hear the new jazz record in the kitchen.",
            "Some loud rock, please, while I clean the {product}.",
            "Continue the playlist from yesterday.",
        ),
        "shopping_list": (
            "We are out of milk and eggs, note that down.",
            "Add a {product} to what we have to buy.",
            "Take the bread off the things to get on Saturday.",
            "What did I want to pick up at the supermarket?",
        ),
        "weather": (
            "Do I need an umbrella this afternoon?",
            "How cold will it get tonight?",
            "Is it going to snow at the weekend?",
            "Will the wind allow a trip by bike tomorrow?",
        ),
        "lights": (
            "It is too dark in the hall.",
            "Dim everything in the living room.",
            "Switch all the lamps off upstairs.",
            "Make the bedroom a warmer shade.",
        ),
    },
    passing={
        "set_alarm": ("I got up early today.", "I slept well, thank you."),
        "play_music": ("The radio was nice this morning.", "I still hum that song."),
        "shopping_list": ("I was at the shop already.", "The fridge is full."),
        "weather": ("What a grey day it was.", "It rained all night."),
        "lights": ("The lamp in the study is new.", "It is bright enough in here."),
    },
    reasons={
        "set_alarm": "wants to be woken or reminded at a time",
        "play_music": "wants to listen to something",
        "shopping_list": "is keeping track of what has to be bought",
        "weather": "asks what it will be like outside",
        "lights": "wants it brighter or darker in the house",
    },
)

SCHEMES: tuple[Scheme, ...] = (_TICKETS, _REVIEWS, _ASSISTANT)
