//! What may be asked for.

use std::io::Read;
use std::sync::Arc;

use serde_json::json;

use super::answer::{Answer, Refusal, Response, json_of};
use super::request::Head;
use super::{curation, export, labelling, map, page, pictures, searching};
use crate::exploration::Exploration;
use crate::images::Size;

/// Bytes of a request that names images, a hundred thousand of them, and of an image to search by.
const ASKED: usize = 4 << 20;
const IMAGE: usize = 64 << 20;

/// What is to be done for a request that may ask, once its body is there.
pub(super) type Work = Box<dyn FnOnce(&Arc<Exploration>) -> Answer>;

/// The work for a request of the path `below` the token; `body` reads what it sends.
///
/// # Errors
///
/// That there is nothing of this name, or it is asked for in another way.
pub(super) fn route(head: &mut Head, below: &str, stream: &mut impl Read) -> Answer<Work> {
    let parts: Vec<&str> = below.split('/').collect();
    match &head.method[..] {
        "GET" => get(&parts),
        "POST" => {
            let (is_image, most) =
                if parts == ["api", "upload"] { (true, IMAGE) } else { (false, ASKED) };
            // That it has to say so keeps out the forms of other pages.
            let kind = head.one("content-type").ok().flatten().unwrap_or_default();
            if !is_image && kind.split(';').next() != Some("application/json") {
                return Err(Refusal::new(415, "expected the content type application/json"));
            }
            let body = head.body(stream, most)?;
            post(&parts, body)
        }
        _ => Err(Refusal::new(405, "expected GET or POST")),
    }
}

fn get(parts: &[&str]) -> Answer<Work> {
    Ok(match *parts {
        ["api", "about"] => done(about),
        ["api", "map"] => done(map::positions),
        ["api", "rows"] => done(map::rows),
        ["api", "groups"] => done(map::groups),
        ["api", "groups", "auto"] => Box::new(|it| map::groups_counted(it)),
        ["api", "groups", count] => numbered(count, map::groups_of)?,
        ["api", "thumbnail", row] => {
            numbered(row, |it, row| pictures::picture(it, row, Size::Thumbnail))?
        }
        ["api", "photo", row] => numbered(row, |it, row| pictures::picture(it, row, Size::Photo))?,
        ["api", "image", row] => numbered(row, pictures::item)?,
        ["api", "odd", count] => numbered(count, |it, count| Ok(curation::odd(it, count)))?,
        ["api", "copies"] => done(curation::copies),
        ["api", "aside"] => done(curation::aside),
        ["api", "labels"] => done(labelling::labels),
        ["api", "next", count] => numbered(count, |it, count| Ok(labelling::next(it, count)))?,
        ["api", "held-out"] => Box::new(|it| labelling::held_out(it)),
        ["export", "labels.csv"] => done(export::labels),
        ["export", "predictions.csv"] => done(export::predictions),
        [name] => {
            let file = page::file(name).ok_or_else(nothing)?;
            Box::new(move |_| Ok(file))
        }
        _ => return Err(nothing()),
    })
}

fn post(parts: &[&str], body: Vec<u8>) -> Answer<Work> {
    Ok(match *parts {
        ["api", "search"] => Box::new(move |it| searching::search(it, &body)),
        ["api", "upload"] => Box::new(move |it| searching::upload(it, &body)),
        ["api", "copies"] => Box::new(|it| Ok(curation::look_for_copies(it))),
        ["api", "aside"] => Box::new(move |it| labelling::set_aside(it, &body)),
        ["api", "labels"] => Box::new(move |it| labelling::label(it, &body)),
        ["api", "undo"] => Box::new(|it| labelling::undo(it)),
        _ => return Err(nothing()),
    })
}

fn nothing() -> Refusal {
    Refusal::none("there is nothing of this name")
}

/// An answer that always works.
fn done(answer: fn(&Exploration) -> Response) -> Work {
    Box::new(move |exploration| Ok(answer(exploration)))
}

/// An answer about a number.
fn numbered(text: &str, answer: fn(&Exploration, usize) -> Answer) -> Answer<Work> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    let number = number.ok_or_else(|| Refusal::bad("expected a number"))?;
    Ok(Box::new(move |exploration| answer(exploration, number)))
}

/// What the page begins with.
fn about(exploration: &Exploration) -> Response {
    json_of(&json!({
        "title": exploration.title,
        "images": exploration.len(),
        "skipped": exploration.skipped,
    }))
}
