//! Values by their number, for numbers that are given out one after the other.

/// Numbers on a page.
const PAGE: u32 = 64;

/// Values by their number: found in one step. They lie in pages, so that none moves when more come; a page of which nothing is
/// left is given back, and passed in one step.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    pages: Vec<Page<T>>,
    len: usize,
}

#[derive(Debug)]
struct Page<T> {
    /// As many as were asked for yet.
    slots: Vec<Option<T>>,
    taken: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), taken: 0 }
    }
}

impl<T> Slots<T> {
    /// How many values there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The value of a number.
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let (page, slot) = place(number);
        self.pages.get(page)?.slots.get(slot)?.as_ref()
    }

    /// The value of a number, to be changed.
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let (page, slot) = place(number);
        self.pages.get_mut(page)?.slots.get_mut(slot)?.as_mut()
    }

    /// The value of a number, to be changed; what `make` makes where it has none.
    pub(crate) fn get_or_insert_with(&mut self, number: u32, make: impl FnOnce() -> T) -> &mut T {
        let (page, slot) = place(number);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Page::default);
        }
        let page = &mut self.pages[page];
        if page.slots.len() <= slot {
            page.slots.reserve_exact(PAGE as usize - page.slots.len());
            page.slots.resize_with(slot + 1, || None);
        }
        let slot = &mut page.slots[slot];
        if slot.is_none() {
            page.taken += 1;
            self.len += 1;
        }
        slot.get_or_insert_with(make)
    }

    /// Gives a number a value.
    pub(crate) fn insert(&mut self, number: u32, value: T) {
        match self.get_mut(number) {
            Some(present) => *present = value,
            None => {
                self.get_or_insert_with(number, || value);
            }
        }
    }

    /// Takes the value of a number away.
    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let (page, slot) = place(number);
        let page = self.pages.get_mut(page)?;
        let value = page.slots.get_mut(slot)?.take()?;
        self.len -= 1;
        page.taken -= 1;
        if page.taken == 0 {
            *page = Page::default();
        }
        Some(value)
    }

    /// The first value from this number on, upwards, with its number.
    pub(crate) fn first_from(&self, from: u32) -> Option<(u32, &T)> {
        let mut number = from;
        loop {
            if let Some(value) = self.get(number) {
                return Some((number, value));
            }
            let is_empty = self.pages.get(place(number).0)?.taken == 0;
            number = number.checked_add(if is_empty { PAGE - number % PAGE } else { 1 })?;
        }
    }

    /// The last value up to this number, with its number.
    pub(crate) fn last_up_to(&self, from: u32) -> Option<(u32, &T)> {
        let mut number = from.min(u32::try_from(self.pages.len()).ok()?.saturating_mul(PAGE));
        loop {
            if let Some(value) = self.get(number) {
                return Some((number, value));
            }
            let is_empty = self.pages.get(place(number).0).is_none_or(|page| page.taken == 0);
            number = number.checked_sub(if is_empty { number % PAGE + 1 } else { 1 })?;
        }
    }
}

/// The page of a number, and its place there.
const fn place(number: u32) -> (usize, usize) {
    ((number / PAGE) as usize, (number % PAGE) as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn slots_are_an_ordered_map(acts in prop::collection::vec((0_u32..400, any::<bool>()), 0..200), from in 0_u32..500) {
            let (mut slots, mut map) = (Slots::default(), BTreeMap::new());
            for (time, (number, comes)) in acts.into_iter().enumerate() {
                if comes {
                    prop_assert_eq!(slots.get_or_insert_with(number, || time), map.entry(number).or_insert(time));
                } else {
                    prop_assert_eq!(slots.remove(number), map.remove(&number));
                }
                prop_assert_eq!(slots.len(), map.len());
            }
            prop_assert_eq!(slots.get(from), map.get(&from));
            prop_assert_eq!(slots.get_mut(from), map.get_mut(&from));
            prop_assert_eq!(slots.first_from(from), map.range(from..).next().map(|(number, value)| (*number, value)));
            prop_assert_eq!(slots.last_up_to(from), map.range(..=from).next_back().map(|(number, value)| (*number, value)));
        }
    }
}
