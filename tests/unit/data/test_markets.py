"""The market series are what they say, and cut as they are asked to."""

import sys

import numpy as np
import pytest
from arch.data import frenchdata
from arch.data import sp500 as arch_sp500

from genai_utils.data import markets

LOADERS = [markets.us_market, markets.nasdaq, markets.sp500, markets.sp500_weekly]


@pytest.mark.parametrize("load", LOADERS)
def test_dates_ascend_and_every_price_is_a_number(load):
    market = load()
    assert len(market.dates) == len(market.log_index) > 1_000 and market.name
    assert (np.diff(market.dates).astype(int) > 0).all() and market.dates.dtype == "datetime64[D]"
    assert np.isfinite(market.log_index).all() and market.log_index[0] == 0


def test_the_total_market_has_the_months_of_the_table_and_grows_by_its_returns():
    market, table = markets.us_market(), frenchdata.load()
    assert str(market.dates[0]) == "1926-07-31" and str(market.dates[-1]) == "2018-11-30" and len(market.dates) == 1_109
    months = market.dates.astype("datetime64[M]")
    assert (np.diff(months).astype(int) == 1).all()
    crash = int(np.flatnonzero(market.dates == np.datetime64("1987-10-31"))[0])
    assert np.expm1(market.log_index[crash] - market.log_index[crash - 1]) == pytest.approx(
        table["Mkt-RF"].iloc[crash] / 100
    )
    assert table["Mkt-RF"].iloc[crash] < -20


def test_daily_closes_are_those_of_the_package():
    market, table = markets.sp500(), arch_sp500.load()
    ratio = table["Adj Close"].iloc[-1] / table["Adj Close"].iloc[0]
    assert np.exp(market.log_index[-1]) == pytest.approx(ratio) and len(market.dates) == len(table)


def test_weeks_are_spread_over_their_own_years():
    market = markets.sp500_weekly()
    assert len(market.dates) == 1_089
    assert str(market.dates[0])[:4] == "1990" and str(market.dates[-1])[:7] == "2010-12"
    steps = np.diff(market.dates).astype(int)
    assert steps.min() >= 5 and steps.max() <= 9


def test_weekly_and_daily_series_of_the_same_index_agree_over_ten_years():
    weekly, daily = (load().between("2000", "2009").log_index for load in (markets.sp500_weekly, markets.sp500))
    assert weekly[-1] - weekly[0] == pytest.approx(daily[-1] - daily[0], abs=0.06)


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    copy = tmp_path / "weekly.csv"
    copy.write_bytes(markets.WEEKLY.read_bytes().replace(b"-0.27", b"-0.28", 1))
    monkeypatch.setattr(markets, "WEEKLY", copy)
    with pytest.raises(ValueError, match="weekly.csv is not the published file.*reinstall"):
        markets.sp500_weekly()


def test_a_part_includes_both_ends():
    part = markets.us_market().between("1980-01", "1981")
    assert (str(part.dates[0]), str(part.dates[-1]), len(part.dates)) == ("1980-01-31", "1981-12-31", 24)
    assert len(markets.nasdaq().between("1999-01-04", "1999-01-05").dates) == 2


def test_a_month_is_its_last_day_and_every_fourth_is_every_fourth():
    monthly = markets.nasdaq().monthly()
    assert len(monthly.dates) == 240 and str(monthly.dates[0]) == "1999-01-29"
    assert (markets.sp500_weekly().every(4).log_index == markets.sp500_weekly().log_index[::4]).all()


def test_a_part_without_prices_is_refused():
    with pytest.raises(ValueError, match="NASDAQ Composite has nothing from first=1990 to last=1991"):
        markets.nasdaq().between("1990", "1991")


def test_a_missing_package_is_named(monkeypatch):
    """Hide arch from the import system; nothing else is touched."""
    for name in [name for name in sys.modules if name == "arch" or name.startswith("arch.")]:
        monkeypatch.delitem(sys.modules, name)

    class Hidden:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "arch":
                raise ModuleNotFoundError(name)

    monkeypatch.setattr(sys, "meta_path", [Hidden(), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match="pip install 'arch>=8'"):
        markets.nasdaq()
