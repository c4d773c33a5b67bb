//! Plots of what happened by week, as pictures made of text (SVG).

use askama::Template;
use chrono::{Datelike as _, Days, NaiveDate};
use lease_core::repository::{Counted, WeeklyTotal};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::kinds::joined;
use super::words::grouped;

/// The weeks of a plot.
pub(super) const WEEKS: u32 = 12;
/// Of these weeks the first days are written below the plot.
const WEEKS_TOLD: usize = 4;
/// The size of the picture, which is stretched to its place. All words stand around it, so that they keep their size.
const WIDTH: u32 = 360;
const HEIGHT: u32 = 80;

/// A plot: a bar for each week.
#[derive(Debug, Template)]
#[template(path = "console/plot.svg", escape = "html")]
pub(super) struct Plot {
    /// A name for the picture, which is unique on its page.
    id: String,
    pub(super) title: String,
    /// What the weeks add up to.
    pub(super) sum: String,
    /// What the highest bar stands for.
    pub(super) highest: String,
    bars: Vec<Bar>,
}

impl Plot {
    /// The days that stand below the plot, each under the bar of its week.
    pub(super) fn days(&self) -> impl Iterator<Item = &str> {
        self.bars.iter().step_by(WEEKS_TOLD).map(|bar| bar.day.as_str())
    }
}

/// The bar of a week.
#[derive(Debug)]
struct Bar {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    /// The first day of the week.
    day: String,
    value: String,
}

/// The first day of the first week of a plot that ends on this day.
pub(super) fn first_day(today: NaiveDate) -> NaiveDate {
    let days = today.weekday().num_days_from_monday() + 7 * (WEEKS - 1);
    today.checked_sub_days(Days::new(days.into())).unwrap_or(today)
}

/// The plots of these totals: of the trades, and of the fees and the payments in each currency.
pub(super) fn all(totals: &[WeeklyTotal], first: NaiveDate) -> Vec<Plot> {
    let mut currencies: Vec<String> = totals.iter().filter_map(|total| Some(total.currency?.to_string())).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let of = |title: &str, counted, currency: Option<&str>| {
        let values = (0..WEEKS).map(|week| {
            let is_it = |total: &&WeeklyTotal| {
                total.counted == counted
                    && total.week == week
                    && total.currency.map(|code| code.to_string()).as_deref() == currency
            };
            let found = totals.iter().find(is_it);
            found.map_or(Decimal::ZERO, |total| if currency.is_some() { total.amount } else { total.count.into() })
        });
        plot(title, currency, &values.collect::<Vec<_>>(), first)
    };
    let money = currencies.iter().flat_map(|currency| {
        [("Fees invoiced", Counted::Invoices), ("Payments received", Counted::Payments)]
            .map(|(title, counted)| of(title, counted, Some(currency)))
    });
    std::iter::once(of("Trades opened", Counted::Trades, None)).chain(money).collect()
}

fn plot(title: &str, currency: Option<&str>, values: &[Decimal], first: NaiveDate) -> Plot {
    let highest = values.iter().copied().max().unwrap_or_default();
    let words = |value: Decimal| joined(&[&grouped(&value.to_string()), currency.unwrap_or_default()]);
    let step = WIDTH / WEEKS;
    let bars = values.iter().zip(0..).map(|(value, week)| {
        let height = height(*value, highest);
        Bar {
            x: week * step + 3,
            y: HEIGHT - height,
            width: step - 6,
            height,
            day: first.checked_add_days(Days::new(u64::from(week) * 7)).unwrap_or(first).format("%-d %b").to_string(),
            value: words(*value),
        }
    });
    let sum = values.iter().fold(Decimal::ZERO, |sum, value| sum.saturating_add(*value));
    let id = format!("{title} {}", currency.unwrap_or_default()).to_lowercase().trim().replace(' ', "-");
    let title = currency.map_or_else(|| title.to_owned(), |currency| format!("{title}, {currency}"));
    Plot { id, title, sum: words(sum), bars: bars.collect(), highest: words(highest) }
}

/// The height of a bar. What is not nothing is seen.
fn height(value: Decimal, highest: Decimal) -> u32 {
    let share = value.checked_div(highest).and_then(|share| share.to_f64()).unwrap_or_default();
    let rounded = (share * f64::from(HEIGHT)).round();
    let height = (0..=HEIGHT).find(|height| f64::from(*height) >= rounded).unwrap_or(0);
    if value.is_zero() { 0 } else { height.max(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_plot_begins_on_a_monday_and_ends_with_today() {
        assert_eq!(first_day(day("2026-03-01")), day("2025-12-08"));
        assert_eq!(first_day(day("2026-03-02")), day("2025-12-15"));
    }

    #[test]
    fn the_highest_bar_fills_the_plot_and_the_lowest_is_seen() {
        let heights = [0, 1, 500, 1_000].map(|value| height(value.into(), 1_000.into()));
        assert_eq!(heights, [0, 2, 40, 80]);
        assert_eq!(height(Decimal::ZERO, Decimal::ZERO), 0);
    }

    #[test]
    fn a_plot_says_its_figures_and_its_days_in_words() {
        let mut values = vec![Decimal::ZERO; 12];
        values[1] = "5471.5".parse().unwrap();
        let plot = plot("Fees invoiced", Some("USD"), &values, day("2025-11-24"));
        assert_eq!((plot.sum.as_str(), plot.highest.as_str()), ("5,471.5 USD", "5,471.5 USD"));
        assert_eq!(plot.days().collect::<Vec<_>>(), ["24 Nov", "22 Dec", "19 Jan"]);
        assert!(plot.render().unwrap().contains("<title>1 Dec: 5,471.5 USD</title>"));
    }
}
