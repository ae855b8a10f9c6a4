"""Do no more requests than allowed work on a tier, and do the others wait in order and not for ever?"""

import asyncio

import pytest

from router.limits import Place, TierLimit


def limit(places=1, waiting=10, seconds=5.0):
    return TierLimit(places, max_waiting=waiting, max_wait_seconds=seconds)


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_places_are_handed_on_in_the_order_of_arrival():
    places = limit()
    order = []

    async def work(number):
        assert await places.take(60)
        order.append(number)
        await asyncio.sleep(0)
        places.give_back()

    await asyncio.gather(*(work(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert await places.take(60)


async def test_a_full_line_turns_away_at_once():
    places = limit(waiting=1)
    assert await places.take(60)
    waiter = asyncio.create_task(places.take(60))
    await settle()
    assert places.waiting == 1
    assert not await places.take(60)
    places.give_back()
    assert await waiter


@pytest.mark.parametrize("arguments", [{"seconds": 0.01}, {"seconds": 0}, {"waiting": 0}])
async def test_nobody_waits_longer_than_allowed(arguments):
    places = limit(**arguments)
    assert await places.take(60)
    assert not await places.take(60)
    assert places.waiting == 0
    places.give_back()
    assert await places.take(60)


async def test_the_deadline_of_a_request_ends_its_wait():
    places = limit()
    assert await places.take(60)
    assert not await places.take(0.01)


@pytest.mark.parametrize("called", [False, True])
async def test_who_leaves_the_line_takes_no_place_with_him(called):
    places = limit()
    assert await places.take(60)
    leaver, next_one = asyncio.create_task(places.take(60)), asyncio.create_task(places.take(60))
    await settle()
    if called:
        places.give_back()  # it is the leaver's turn at the very moment he leaves
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    if not called:
        places.give_back()
    assert await next_one


async def test_a_place_is_given_back_once():
    places = limit()
    assert await places.take(60)
    place = Place(places)
    place.give_back()
    place.give_back()
    assert await places.take(60)
    assert not await places.take(0.01)
