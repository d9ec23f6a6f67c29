"""A century of stock markets: the total US market monthly, the NASDAQ and the S&P 500 daily, the S&P 500 weekly.

All but the weekly series come with the package arch (NCSA licence) and are read from there. The weekly returns are
the columns Year and Today of the set Weekly of ISLP 0.6.0 (BSD licence, LICENSE-islp).
"""

from __future__ import annotations

import csv
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from genai_utils.checks import array, of_type, whole
from genai_utils.data.files import verified

WEEKLY = Path(__file__).with_name("weekly.csv")
SHA256 = "50e330416ac541dd4263fbc2f5390f67fd079217e3dc3c3c2833efeb5e21ee28"


@dataclass(frozen=True)
class Market:
    """An index in logarithms: a difference of 0.01 is about one percent.

    name: what it is an index of.  dates: datetime64[D], ascending, (n,).  log_index: (n,), the first is 0 when loaded.
    """

    name: str
    dates: np.ndarray
    log_index: np.ndarray

    def __post_init__(self) -> None:
        of_type(str, name=self.name)
        of_type(np.ndarray, dates=self.dates, log_index=self.log_index)
        array("log_index", self.log_index, least=0)
        if not len(self.dates) == len(self.log_index) > 0:
            found = f"{len(self.dates)} dates for {len(self.log_index)} numbers of log_index"
            raise ValueError(f"{self.name}: {found}; choose some")

    def between(self, first: str, last: str) -> Market:
        """The part from one date to another, both included: "1995" is its first day, or its last one.

        Raises: ValueError: no dates, or nothing lies between them.
        """
        end = _date(last=last) + 1 - np.timedelta64(1, "D")
        chosen = (self.dates >= _date(first=first)) & (self.dates <= end)
        if not chosen.any():
            raise ValueError(f"{self.name} has nothing from first={first} to last={last}")
        return self._only(chosen)

    def monthly(self) -> Market:
        """The last price of each month."""
        months = self.dates.astype("datetime64[M]")
        return self._only(np.append(months[1:] != months[:-1], True))

    def every(self, step: int) -> Market:
        """Each `step`-th price, the first included."""
        whole(1, step=step)
        return self._only(np.arange(len(self.dates)) % step == 0)

    def _only(self, chosen: np.ndarray) -> Market:
        return Market(self.name, self.dates[chosen], self.log_index[chosen])


def _date(**given: str) -> np.datetime64:
    [(name, text)] = given.items()
    of_type(str, **given)
    with suppress(ValueError):
        if not np.isnat(date := np.datetime64(text)):
            return date
    raise ValueError(f'{name} must be a date such as "1995" or "1995-03-31", got {text!r}')


def us_market() -> Market:
    """All US stocks, month by month from July 1926 to November 2018: what they earned above Treasury bills.

    Source: K. French's data library, the factor Mkt-RF in percent, as in arch 8. Dividends are included.
    Raises: ModuleNotFoundError: arch is not installed.
    """
    table = _arch("frenchdata")
    # The package reads the month 192607 as a number of nanoseconds; that number is what we want.
    months = [f"{stamp // 100}-{stamp % 100:02d}" for stamp in table.index.to_numpy().view("int64").tolist()]
    ends = np.array(months, "datetime64[M]") + 1 - np.timedelta64(1, "D")
    return _grown("US market above Treasury bills", ends, table["Mkt-RF"].to_numpy())


def nasdaq() -> Market:
    """The NASDAQ Composite, daily closes from 4 January 1999 to 31 December 2018.

    Raises: ModuleNotFoundError: arch is not installed.
    """
    return _closes("NASDAQ Composite", "nasdaq")


def sp500() -> Market:
    """The S&P 500, daily closes from 4 January 1999 to 31 December 2018.

    Raises: ModuleNotFoundError: arch is not installed.
    """
    return _closes("S&P 500", "sp500")


def sp500_weekly() -> Market:
    """The S&P 500, 1,089 weeks of 1990 to 2010, without dividends.

    The table gives only the year of a week: weeks are spread evenly over their year, those of 1990 to its end; dates
    may be a week off.
    Raises: ValueError: the file is not the published one.
    """
    lines = verified(WEEKLY, SHA256).decode().splitlines()
    rows = [(int(row["Year"]), float(row["Today"])) for row in csv.DictReader(lines, strict=True)]
    years = np.array([year for year, _ in rows])
    return _grown("S&P 500", _spread_over(years), np.array([percent for _, percent in rows]))


def _spread_over(years: np.ndarray) -> np.ndarray:
    """Dates for weeks of which only the year is known; 52 a year at least, missing ones at its beginning."""
    dates = []
    for year in np.unique(years):
        weeks = int((years == year).sum())
        whole = max(weeks, 52)
        days = np.round((np.arange(whole - weeks, whole) + 0.5) * 365 / whole).astype("timedelta64[D]")
        dates.append(np.datetime64(f"{year}-01-01") + days)
    return np.concatenate(dates)


def _grown(name: str, dates: np.ndarray, percent: np.ndarray) -> Market:
    steps = np.log1p(percent / 100.0)
    return Market(name, dates, np.cumsum(steps) - steps[0])


def _closes(name: str, module: str) -> Market:
    table = _arch(module)
    prices = np.log(table["Adj Close"].to_numpy(float))
    return Market(name, table.index.to_numpy().astype("datetime64[D]"), prices - prices[0])


def _arch(module: str) -> Any:
    """A table of the package arch."""
    try:
        return import_module(f"arch.data.{module}").load()
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("market data come with the package arch: pip install 'arch>=8'") from error
