# SPDX-License-Identifier: MIT
"""The one formatter: edge cases by hand, and what its rules promise of any number, read back by Decimal."""

import math
import random
from decimal import Decimal

import pytest

from plots.words import quantity

NAN, INF = math.nan, math.inf

CASES = [  # function, arguments, what is printed
    (quantity.ratio, (1.0021,), "1.002"), (quantity.ratio, (9.9996,), "10.0"), (quantity.ratio, (123.4,), "123"),
    (quantity.ratio, (12345,), "12,300"), (quantity.ratio, (0.1,), "0.100"), (quantity.ratio, (0.0996,), "0.100"),
    (quantity.ratio, (0.0994,), "1/10.1"), (quantity.ratio, (1 / 228,), "1/228"), (quantity.ratio, (1 / 29,), "1/29.0"),
    (quantity.ratio, (1 / 12345,), "1/12,300"), (quantity.ratio, (0,), "0.000"), (quantity.ratio, (None,), "-"),
    (quantity.ratio, (NAN,), "-"), (quantity.ratio, (INF,), "-"), (quantity.ratio, (1, NAN, 2), "1.000"),
    (quantity.ratio, (0.9145, 0.9101, 0.9180), "0.9145"), (quantity.ratio, (0.9145, 0.89, 0.94), "0.914"),
    (quantity.ratio, (0.9145, 0.8, 1.02), "0.91"), (quantity.ratio, (0.75, 0.74, 0.76), "0.750"),
    (quantity.ratio, (1.00502, 1.0045, 1.0055), "1.0050"), (quantity.ratio, (1.0502, 1.04, 1.06), "1.050"),
    (quantity.ratio, (1, 1, 1), "1.0000"), (quantity.ratio, (0.99996, 0.98, 1.01), "1.000"),
    (quantity.ratio, (3.2, 1.1, 6.1), "3.2"), (quantity.ratio, (41, 10, 70), "41"),
    (quantity.ratio, (0.0498178, 0.0491244, 0.0500526), "1/20.07"),
    (quantity.interval, (0.0491244, 0.0500526), "1/20.36..1/19.98"), (quantity.interval, (0.06, 0.2), "0.060..0.20"),
    (quantity.interval, (0.09, 0.11), "0.090..0.110"), (quantity.interval, (0.05, 20), "0.050..20"),
    (quantity.interval, (0.999, 1.0004), "0.9990..1.0004"), (quantity.interval, (1.27, 1.298), "1.270..1.298"),
    (quantity.interval, (1.27, 1.298, " to "), "1.270 to 1.298"), (quantity.interval, (None, None), "-"),
    (quantity.ratio_tick, (0.125,), "1/8"), (quantity.ratio_tick, (0.94,), "0.94"), (quantity.ratio_tick, (1,), "1×"),
    (quantity.ratio_tick, (1.002,), "1.002"), (quantity.ratio_tick, (2.0,), "2"),
    (quantity.ratio_tick, (65536,), "65,536"),
    (quantity.time_ns, (0.2512,), "0.2512"), (quantity.time_ns, (1.23456,), "1.235"),
    (quantity.time_ns, (12.5,), "12.50"),
    (quantity.time_ns, (9.9996,), "10.00"), (quantity.time_ns, (1234.5,), "1234"),
    (quantity.time_ns, (999.96,), "1000"),
    (quantity.time_ns, (123456.7,), "123,457"), (quantity.time_ns, (0,), "0"),
    (quantity.time_ns, (0.00012,), "0.00012"),
    (quantity.time_ns, (-3.21,), "-3.210"), (quantity.time_ns, (None,), "-"), (quantity.time_ns, (NAN,), "-"),
    (quantity.time, (21.44,), "21.44 ns"), (quantity.time, (999.94,), "999.9 ns"),
    (quantity.time, (999.96,), "1.000 µs"),
    (quantity.time, (1234,), "1.234 µs"), (quantity.time, (0.99996e6,), "1.000 ms"), (quantity.time, (3e9,), "3.000 s"),
    (quantity.time, (1e13,), "10,000 s"), (quantity.time, (0,), "0 ns"), (quantity.time, (-1500,), "-1.500 µs"),
    (quantity.time, (0.1312, 2), "0.13 ns"), (quantity.time, (None,), "-"),
    (lambda ns: quantity.time(ns, exact=True), (20,), "20 ns"),
    (lambda ns: quantity.time(ns, exact=True), (1500,), "1.5 µs"),
    (quantity.size, (0,), "0 B"), (quantity.size, (8,), "8 B"), (quantity.size, (16.94,), "16.9 B"),
    (quantity.size, (1023,), "1023 B"), (quantity.size, (1023.6,), "1 KiB"), (quantity.size, (1024,), "1 KiB"),
    (quantity.size, (1536,), "1.5 KiB"), (quantity.size, (65536,), "64 KiB"), (quantity.size, (1048575,), "1 MiB"),
    (quantity.size, (1 << 25,), "32 MiB"), (quantity.size, (1 << 40,), "1 TiB"),
    (quantity.size, (1 << 60,), "1,048,576 TiB"),
    (quantity.size, (-2048,), "-2 KiB"), (quantity.size, (None,), "-"), (quantity.size, (29475, ""), "28.8 Ki"),
    (quantity.size, (1, ""), "1"), (quantity.size, (1, "elements"), "1 element"),
    (quantity.size, (1, "entries"), "1 entry"),
    (quantity.size, (1.03, "elements"), "1.03 elements"), (quantity.size, (1024, "elements"), "1024 elements"),
    (quantity.size, (65536, "elements"), "65,536 elements"),
    (quantity.size_tick, (0,), "0"), (quantity.size_tick, (257,), "257"), (quantity.size_tick, (1024,), "1Ki"),
    (quantity.size_tick, (4097,), "4097"), (quantity.size_tick, (4 << 20,), "4Mi"),
    (quantity.size_tick, (1 << 30,), "1Gi"),
    (quantity.count, (0,), "0"), (quantity.count, (3,), "3"), (quantity.count, (3.0,), "3"),
    (quantity.count, (1.5,), "1.5"),
    (quantity.count, (0.25,), "0.25"), (quantity.count, (9999,), "9999"), (quantity.count, (65536,), "65,536"),
    (quantity.count, (0.012345,), "0.01235"), (quantity.count, (-2,), "-2"), (quantity.count, (-0.0,), "0"),
    (quantity.count, (None,), "-"),
    (quantity.counted, (1, "row"), "1 row"), (quantity.counted, (0, "row"), "0 rows"),
    (quantity.counted, (2, "launch", "launches"), "2 launches"),
    (quantity.percent, (0.052,), "5.2 %"), (quantity.percent, (0.12,), "12.0 %"),
    (quantity.percent, (0.00033,), "0.033 %"),
    (quantity.percent, (0.00004,), "0.0 %"), (quantity.percent, (1.31,), "131 %"), (quantity.percent, (None,), "-"),
    (quantity.change, (1.0,), "+0.0 %"), (quantity.change, (1.00001,), "+0.0 %"),
    (quantity.change, (1.0005,), "+0.05 %"),
    (quantity.change, (0.988,), "-1.2 %"), (quantity.change, (1.05,), "+5.0 %"), (quantity.change, (3.0,), "+200 %"),
    (quantity.percent, (200,), "20,000 %"), (quantity.change, (200,), "+19,900 %"),
    (quantity.level, (200,), "20,000 %"),
    (quantity.change, (0.001,), "-99.9 %"), (quantity.change, (None,), "-"),
    (quantity.changes, (0.99, 1.05), "-1.0 to +5.0 %"), (quantity.changes, (None, None), "-"),
    (quantity.level, (0.002,), "0.2 %"), (quantity.level, (0.95,), "95 %"), (quantity.level, (0.99842,), "99.84 %"),
    (quantity.faster, (1.28337,), "1.28 times as fast"), (quantity.faster, (1 / 20.07,), "20.1 times as fast"),
    (quantity.faster, (0.950451,), "5.2 % faster"), (quantity.faster, (2.0,), "2 times as fast"),
    (quantity.faster, (1.0,), "as fast as the other"), (quantity.faster, (0.99996,), "as fast as the other"),
    (quantity.faster, (1.0001,), "0.01 % faster"),
]


@pytest.mark.parametrize("function, arguments, want", CASES)
def test_numbers_as_people_read_them(function, arguments, want):
    assert function(*arguments) == want


def read(text):
    """(the number that a text says, the worth of its last digit)"""
    over = text.startswith("1/")
    number = Decimal(text.removeprefix("1/").replace(",", ""))
    return number, Decimal(1).scaleb(number.as_tuple().exponent), over


def draws(n, low, high):
    generator = random.Random(7)
    return [math.exp(generator.uniform(math.log(low), math.log(high))) for _ in range(n)]


def test_a_ratio_is_rounded_and_its_last_digit_is_worth_a_tenth_of_its_interval_at_most():
    for x, share in zip(draws(4000, 1e-5, 1e5), draws(4000, 1e-5, 1.5)[::-1]):
        low, high = x * math.exp(-share / 2), x * math.exp(share / 2)
        text = quantity.ratio(x, low, high)
        number, unit, over = read(text)
        true, width = (1 / x, 1 / low - 1 / high) if over else (x, high - low)
        assert over == (x < 0.0995), text
        assert abs(float(number) - true) <= float(unit) * 0.5000001, text
        assert float(unit) <= width / 10 * 1.000001 or unit == Decimal("0.0001") or unit == 1 and width < 10, (text,
                                                                                                               width)
        assert float(unit) > width / 100 / 1.000001 or float(unit) <= true / 10, (text, width)
        one, other = quantity.interval(low, high).split("..")
        assert text in (quantity.ratio(x, low, high), one, other)
        if min(low, x) >= 0.0995 or high < 0.0995:  # all three in one form
            assert read(one)[0] <= number <= read(other)[0] or over and read(other)[0] <= number <= read(one)[0]


def test_a_time_has_four_digits_and_its_unit_leaves_it_below_a_thousand():
    factors = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}
    for ns in draws(4000, 1e-2, 1e12):
        text, unit = quantity.time(ns).split(" ")
        number, last, _ = read(text)
        assert len(number.as_tuple().digits) == 4 or number < Decimal("0.1"), text
        assert number < 1000 and (number >= 1 or unit == "ns"), text
        assert abs(float(number) - ns / factors[unit]) <= float(last) / 2 * 1.000001, (ns, text)
        bare = quantity.time_ns(ns)
        assert bare == text or unit != "ns", "the same digits, with the unit or without"


def test_sizes_of_whole_powers_are_whole():
    for n in range(50):
        text, *unit = quantity.size(1 << n).split(" ")
        assert float(text.replace(",", "")) * 1024 ** ["B", "KiB", "MiB", "GiB", "TiB"].index(unit[0]) == 1 << n
        assert quantity.size_tick(1 << n).rstrip("KMGTi").isdecimal()


def test_nothing_is_ever_printed_with_an_exponent_from_a_thousandth_on():
    for x in draws(2000, 1e-3, 1e14):
        for function in (quantity.ratio, quantity.time_ns, quantity.time, quantity.size, quantity.count,
                         quantity.ratio_tick):
            assert "e" not in function(x).replace("le", ""), (function, x)
