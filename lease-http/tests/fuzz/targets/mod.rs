//! The fuzz targets. A target turns bytes into input and asserts properties that hold for every input: nothing panics, and the
//! promises in the target's description hold.

mod commands;
mod drafts;
mod field_values;
mod requests;
mod values;

use arbitrary::{Arbitrary, Result, Unstructured};

/// Passes the list of all targets to a macro.
macro_rules! all {
    ($macro:ident) => {
        $macro! {
            values {
                money_keeps_every_digit,
                money_adds_up_to_the_cent,
                a_cursor_that_decodes_encodes_to_the_same,
                a_vin_is_seventeen_of_its_alphabet,
                a_card_number_passes_luhn_and_is_never_shown,
                a_token_is_forty_hexadecimal_characters,
                a_date_has_one_form,
                an_instant_prints_and_reads_the_same,
                a_name_that_logs_in_reads_back_the_same,
                an_id_in_a_path_is_plain_digits,
                a_search_finds_every_word_that_is_there,
            }
            drafts {
                every_object_is_a_draft,
                any_bytes_are_parsed_or_refused,
            }
            requests {
                no_request_gets_a_5xx,
            }
            commands {
                no_command_breaks_an_invariant,
            }
        }
    };
}
pub(crate) use all;

/// A fuzz target.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    name: &'static str,
    /// Whether the input is a sequence of commands, which takes long.
    pub(crate) tells_a_story: bool,
    run: fn(&mut Unstructured) -> Result<()>,
}

impl Target {
    /// Runs the target. Bytes that are not enough for an input are ignored.
    pub(crate) fn run(self, bytes: &[u8]) {
        let _too_few = (self.run)(&mut Unstructured::new(bytes));
    }
}

macro_rules! a_row_each {
    ($($module:ident { $($target:ident,)+ })+) => {
        const ALL: &[Target] = &[$($(Target {
            name: stringify!($target),
            tells_a_story: matches!(stringify!($module).as_bytes(), b"requests" | b"commands"),
            run: $module::$target,
        },)+)+];
    };
}
all!(a_row_each);

/// The target with this name.
pub(crate) fn find(name: &str) -> Option<Target> {
    ALL.iter().copied().find(|target| target.name == name)
}

/// The names of all targets.
#[cfg_attr(not(fuzzing), expect(dead_code, reason = "a test each needs no list"))]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|target| target.name)
}

/// A list of as many values as the bytes give, at most `most`.
fn many<'a, T: Arbitrary<'a>>(input: &mut Unstructured<'a>, most: usize) -> Result<Vec<T>> {
    let mut many = Vec::new();
    while !input.is_empty() && many.len() < most {
        many.push(input.arbitrary()?);
    }
    Ok(many)
}

/// Text of up to 64 characters: mostly from this alphabet, so that it is often close to valid input, and otherwise from arbitrary
/// bytes.
fn text(input: &mut Unstructured, alphabet: &str) -> Result<String> {
    let is_as_it_comes = input.ratio(1, 4)?;
    let length = input.int_in_range(0..=input.len().min(64))?;
    let bytes = input.bytes(length.min(input.len()))?;
    if is_as_it_comes {
        return Ok(String::from_utf8_lossy(bytes).into_owned());
    }
    let alphabet: Vec<char> = alphabet.chars().collect();
    Ok(bytes.iter().map(|byte| alphabet[usize::from(*byte) % alphabet.len()]).collect())
}

/// Runs the future of a target on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
