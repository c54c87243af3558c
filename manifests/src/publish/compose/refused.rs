//! What no next release of a channel can be, whatever its files are (D-06).

use std::collections::BTreeMap;

use super::Attributes;
use crate::build::Build;
use crate::channel::{ChannelDocument, Kind, MAX_RELEASES, MAX_SEQUENCE};
use crate::compat::Compatibility;
use crate::name::ChannelId;
use crate::time::UtcTime;

/// Most numbers that a release may leave out: far more than are ever lost with a backup, far fewer than there are.
const MAX_GAP: u64 = 1_000_000;

/// Why a release cannot be the next one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its build is below the current one.
    #[error("build `{new}` is below the current build `{current}` of this channel: give --allow-downgrade to send stations back to it")]
    Downgrade {
        /// The channel's.
        current: String,
        /// The release's.
        new: String,
    },
    /// Its build cannot be compared with the current one.
    #[error(
        "build `{new}` ({new_scheme}) cannot be compared with the current build `{current}` ({current_scheme}): give --scheme {current_scheme}, or --allow-downgrade to change the scheme"
    )]
    OtherScheme {
        /// The channel's.
        current: String,
        /// Its scheme.
        current_scheme: crate::build::Scheme,
        /// The release's.
        new: String,
        /// Its scheme.
        new_scheme: crate::build::Scheme,
    },
    /// The product is listed as something else.
    #[error("the channel is one of kind {current:?}, not {new:?}: leave out --kind")]
    OtherKind {
        /// The channel's.
        current: Kind,
        /// The release's.
        new: Kind,
    },
    /// The variant differs from another by case alone.
    #[error("variant `{new}` differs from variant `{existing}` by case alone: give it as `{existing}`, or choose another name")]
    VariantCase {
        /// The one that is there.
        existing: String,
        /// The one that was given.
        new: String,
    },
    /// The document is full.
    #[error("the channel lists {MAX_RELEASES} releases, which is the most it can: run `manifests prune` first")]
    TooManyReleases,
    /// A document holds what this code does not understand.
    #[error("the channel document of {0} holds releases that this program does not understand: use a newer one")]
    NewerDocument(ChannelId),
    /// A text is too long.
    #[error("{0} is longer than the {1} bytes allowed")]
    TextTooLong(&'static str, usize),
    /// A text says nothing.
    #[error("{0} is empty: say it in a few words, stations show it")]
    TextEmpty(&'static str),
    /// A text could do something to the terminal that shows it.
    #[error("{0} holds the control character `{ch}`: leave it out; only line breaks may stand in a text", ch = .1.escape_debug())]
    ControlCharacter(&'static str, char),
    /// Nothing says whether it fits the server of the channel.
    #[error("{0}: give both in one notation (--scheme), or say with --compat list:BUILD,BUILD or --works-with-servers MIN..MAX what fits")]
    Server(Compatibility),
    /// The same files under the same build were withdrawn.
    #[error(
        "build `{build}` with the same files is release {sequence} of this channel, which was withdrawn ({reason}): give what is published again another build number",
        reason = reason.escape_debug()
    )]
    WasWithdrawn {
        /// The build of both.
        build: String,
        /// The number of the withdrawn one.
        sequence: u64,
        /// Why it was withdrawn.
        reason: String,
    },
    /// Until its deadline people are asked, and there is no such time left.
    #[error(
        "the deadline {deadline} is over: stations would install the release without asking anybody. Give one that lies ahead, were it by a minute, or none"
    )]
    DeadlineOver {
        /// The deadline.
        deadline: UtcTime,
    },
    /// The numbers are used up.
    #[error(
        "release {last} is the last number there is: no honest publisher gets there. If somebody stole a key, `manifests keys revoke` with --disown leaves his release out and lets \
         counting go on"
    )]
    NoNumberLeft {
        /// The highest number given out.
        last: u64,
    },
    /// A gap that looks like a slip of the pen.
    #[error(
        "--sequence-at-least {least} leaves out more than {MAX_GAP} numbers after {last}, which cannot be taken back: choose a lower one"
    )]
    Gap {
        /// What was asked for.
        least: u64,
        /// The highest number given out.
        last: u64,
    },
    /// There is no such release.
    #[error("there is no release {sequence} in {channel}: `manifests list` names those that there are")]
    NoRelease {
        /// The channel.
        channel: ChannelId,
        /// The number.
        sequence: u64,
    },
    /// There is no such channel.
    #[error("there is no channel {0}: `manifests list` names those that there are")]
    NoChannel(ChannelId),
    /// A count that would leave nothing.
    #[error("at least one release per channel is kept")]
    KeepNothing,
}

/// Whether `build` may follow in the channel.
pub fn check_build(document: Option<&ChannelDocument>, build: &Build, allow_downgrade: bool) -> Result<(), Refused> {
    let Some(current) = document.and_then(ChannelDocument::current) else { return Ok(()) };
    let (text, new) = (current.build.text().to_owned(), build.text().to_owned());
    match current.build.compare(build) {
        _ if allow_downgrade => Ok(()),
        None => Err(Refused::OtherScheme { current: text, current_scheme: current.build.scheme(), new, new_scheme: build.scheme() }),
        Some(std::cmp::Ordering::Greater) => Err(Refused::Downgrade { current: text, new }),
        Some(_) => Ok(()),
    }
}

/// Refuses a deadline that is over before the release is there: a slip of the pen in the year takes the question from everybody.
pub fn check_deadline(attributes: &Attributes, now: UtcTime) -> Result<(), Refused> {
    match attributes.deadline {
        Some(deadline) if deadline <= now => Err(Refused::DeadlineOver { deadline }),
        _ => Ok(()),
    }
}

/// Whether `text`, called `what`, may be shown to people: at most `most` bytes, and no control characters but line breaks.
pub fn check_text(what: &'static str, text: &str, most: usize) -> Result<(), Refused> {
    if text.len() > most {
        return Err(Refused::TextTooLong(what, most));
    }
    let control = text.chars().find(|character| character.is_control() && *character != '\n');
    control.map_or(Ok(()), |character| Err(Refused::ControlCharacter(what, character)))
}

/// The number after `last`, the highest given out, and not below `least`.
pub fn next_sequence(last: u64, least: Option<u64>) -> Result<u64, Refused> {
    let next = last.checked_add(1).filter(|next| *next <= MAX_SEQUENCE).ok_or(Refused::NoNumberLeft { last })?;
    match least.filter(|least| *least > next) {
        Some(least) if least - last > MAX_GAP => Err(Refused::Gap { least, last }),
        least => Ok(least.unwrap_or(next).min(MAX_SEQUENCE)),
    }
}

/// Refuses what no release of this channel can be, whatever its files are. Returns the kind that it will have.
pub fn check_request(
    channels: &BTreeMap<ChannelId, ChannelDocument>,
    id: &ChannelId,
    build: &Build,
    kind: Option<Kind>,
    attributes: &Attributes,
) -> Result<Kind, Refused> {
    let document = channels.get(id);
    let lower = |variant: &crate::name::Variant| variant.as_str().to_lowercase();
    let twin =
        channels.keys().filter(|other| (&other.product, other.os) == (&id.product, id.os)).filter_map(|other| other.variant.as_ref());
    if let Some(variant) = &id.variant
        && let Some(twin) = twin.into_iter().find(|twin| *twin != variant && lower(twin) == lower(variant))
    {
        return Err(Refused::VariantCase { existing: twin.to_string(), new: variant.to_string() });
    }
    attributes.approver.as_deref().map_or(Ok(()), |text| check_text("the approver", text, 256))?;
    attributes.notes.as_deref().map_or(Ok(()), |text| check_text("the notes", text, 4096))?;
    check_build(document, build, attributes.allow_downgrade)?;
    match document {
        None => Ok(kind.unwrap_or(Kind::Product)),
        Some(document) if !document.unavailable.is_empty() => Err(Refused::NewerDocument(id.clone())),
        Some(document) if document.releases.len() >= MAX_RELEASES => Err(Refused::TooManyReleases),
        Some(document) => match kind {
            Some(new) if new != document.kind => Err(Refused::OtherKind { current: document.kind, new }),
            _ => Ok(document.kind),
        },
    }
}
