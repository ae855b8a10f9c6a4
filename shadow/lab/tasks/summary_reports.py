"""What do the reports say that have to be summarised, and in which words would each tier do it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shadow.lab.tasks.lapses import Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A kind of report. core: the sentences with the facts; asides: what may be left out; summaries: by style."""

    core: tuple[str, ...]
    asides: tuple[str, ...]
    summaries: Mapping[Style, tuple[str, ...]]


#: Figures that no report holds.
HALLUCINATIONS = (
    "That is {number} percent more than last year.",
    "About {number} people will benefit from it.",
    "The plan has been in the making for {number} months.",
)

_OPENING = Report(
    core=(
        "{org} will open a new plant in {place} on {when}.",
        "{who}, who leads the project, said that {amount} euros have been set aside for the first stage.",
    ),
    asides=(
        "The morning began with coffee and a short film about the early years.",
        "{other} of the town council called it good news and asked for more bicycle racks.",
        "The old hall had been empty for {small} years.",
        "Neighbours had worried about noise, so the gates will face the railway.",
        "A choir of {small} children sang two songs.",
        "{other} photographed the model of the building.",
    ),
    summaries={
        "terse": (
            "{org} opens {place} plant {when}; {who}: {amount} euros for stage one.",
            "New {org} plant in {place} on {when}, {amount} euros first stage ({who}).",
        ),
        "plain": (
            "{org} will open a plant in {place} on {when}. Project leader {who} says {amount} euros are set aside.",
            "On {when} a new plant of {org} opens in {place}; according to {who}, the first stage costs {amount} euros.",
        ),
        "thorough": (
            "According to project lead {who}, {org} is going to open its new plant in {place} on {when}, and a sum of {amount} "
            "euros has been reserved for the first stage of the work.",
            "The report announces that {org} is to start up a new site in {place} on {when}. For its first stage {amount} euros "
            "were budgeted, as {who}, who heads the project, explained.",
        ),
    },
)

_INCIDENT = Report(
    core=(
        "On {when} a burst pipe flooded the archive of {org} in {place}.",
        "{who}, the caretaker, shut off the water; the damage is put at {amount} euros.",
    ),
    asides=(
        "It had rained heavily during the night, which at first misled everyone.",
        "{other} from the second floor noticed wet carpets.",
        "Only {small} boxes of old folders were carried upstairs in time.",
        "The insurer asked for pictures before anything is thrown away.",
        "{other} brought soup for the helpers.",
        "A lorry with {small} dryers came in the afternoon.",
    ),
    summaries={
        "terse": (
            "Burst pipe floods {org} archive, {place}, {when}; {who} shut water, damage {amount} euros.",
            "{when}: archive of {org} in {place} flooded, {amount} euros damage, stopped by {who}.",
        ),
        "plain": (
            "A burst pipe flooded the {org} archive in {place} on {when}. {who} turned off the water; damage: {amount} euros.",
            "The archive of {org} in {place} was flooded on {when}, with {amount} euros of damage. {who} stopped the water.",
        ),
        "thorough": (
            "After a pipe had burst on {when}, the archive that {org} keeps in {place} was flooded. The caretaker {who} cut the "
            "supply, and the losses are estimated at {amount} euros.",
            "The report describes how water from a broken pipe entered the archive of {org} in {place} on {when}; thanks to "
            "{who} the flow was stopped, yet the damage amounts to roughly {amount} euros.",
        ),
    },
)

_CONTRACT = Report(
    core=(
        "{who} signed a supply contract with {org} on {when}.",
        "It covers goods worth {amount} euros, to be unloaded in {place}.",
    ),
    asides=(
        "The talks had been adjourned twice because of illness.",
        "{other} kept the minutes and corrected a clause on packaging.",
        "There were {small} pages of annexes, most of them tables.",
        "Both sides praised the tone of the meeting.",
        "{other} joined by telephone for the last hour.",
        "A first delivery of {small} pallets serves as a trial.",
    ),
    summaries={
        "terse": (
            "{who} signs {amount} euros supply deal with {org} on {when}, goods to {place}.",
            "Supply contract {org}, {amount} euros, signed {when} by {who}; unloading in {place}.",
        ),
        "plain": (
            "On {when} {who} signed a contract with {org}. Goods worth {amount} euros go to {place}.",
            "{who} and {org} agreed on {when} on a supply of goods for {amount} euros, unloaded in {place}.",
        ),
        "thorough": (
            "The report covers a supply contract with {org} that {who} signed on {when}: it concerns goods to the value of "
            "{amount} euros, which are to be unloaded in {place}.",
            "With the signature of {who} on {when}, an agreement with {org} came into being under which goods worth {amount} "
            "euros will be brought to {place}.",
        ),
    },
)

_RECALL = Report(
    core=(
        "{org} called back a series of heaters on {when} after a short circuit at a customer's home in {place}.",
        "{who}, head of quality, said that {amount} devices are affected.",
    ),
    asides=(
        "Nobody was hurt, and the kitchen has been repaired.",
        "The hotline was busy with {small} callers in the queue at noon.",
        "{other} from the consumers' league asked why it took so long.",
        "Shops were told to put up a poster next to the till.",
        "Owners get a new cable and {small} euros for their trouble.",
        "{other} tested the heater in a laboratory without finding fault.",
    ),
    summaries={
        "terse": (
            "{org} recalls {amount} heaters ({when}) after short circuit in {place}, says {who}.",
            "Recall by {org}, {when}: {amount} heaters after {place} incident ({who}).",
        ),
        "plain": (
            "{org} recalled {amount} heaters on {when} after a short circuit in {place}, quality head {who} said.",
            "After a short circuit in {place}, {org} called back heaters on {when}. {who} speaks of {amount} devices.",
        ),
        "thorough": (
            "Following a short circuit in a home in {place}, {org} started a recall of heaters on {when}; as its head of "
            "quality, {who}, stated, {amount} devices are concerned.",
            "The report is about a recall: since {when}, {org} has been taking back {amount} heaters, a number given by {who}, "
            "because one of them caused a short circuit in {place}.",
        ),
    },
)

REPORTS: tuple[Report, ...] = (_OPENING, _INCIDENT, _CONTRACT, _RECALL)
