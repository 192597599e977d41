//! How answers travel: whole, slowly, in events, or not to their end.

use std::{any::Any, io, net::Shutdown, os::fd::AsFd, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    dev::Extensions,
    http::StatusCode,
    rt::{net::TcpStream, time::sleep},
    web::Bytes,
};
use futures::{Stream, StreamExt, stream};
use serde_json::Value;

use super::{
    script::{Break, Cue},
    state::UnderWay,
};

/// How many pieces a slow body comes in.
const PIECES: u32 = 8;

/// Long enough for what was written to leave before the connection breaks.
const PARTING: Duration = Duration::from_millis(30);

const JSON: &str = "application/json; charset=UTF-8";

/// A piece of a body, after a pause.
type Piece = (Duration, io::Result<Bytes>);

/// The connection itself, kept to break it.
struct Socket(std::net::TcpStream);

/// Keeps a hand on each new connection.
pub(super) fn keep_socket(connection: &dyn Any, data: &mut Extensions) {
    let stream = connection.downcast_ref::<TcpStream>();
    if let Some(Ok(twin)) = stream.map(|stream| stream.as_fd().try_clone_to_owned()) {
        data.insert(Socket(twin.into()));
    }
}

/// Breaks the connection before any answer.
pub(super) fn reset(request: &HttpRequest) {
    if let Some(socket) = request.conn_data::<Socket>() {
        socket.0.shutdown(Shutdown::Both).ok();
    }
}

/// A body in one piece, or however the cue wants it.
pub(super) fn whole(
    status: StatusCode,
    body: Bytes,
    cue: &Cue,
    under_way: UnderWay,
) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.content_type(JSON);
    let length = body.len();
    let pieces = match (cue.breaks, cue.slow_ms) {
        (Some(Break::Cut), _) => vec![
            (Duration::ZERO, Ok(body.slice(..length / 2))),
            (PARTING, Err(broken())),
        ],
        (_, 0) => return response.body(body),
        (_, slow) => slowly(&body, Duration::from_millis(slow)),
    };
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    response.body(SizedStream::new(length, Box::pin(sent(pieces, under_way))))
}

/// A reply in events, or in a list of them.
pub(super) fn events(
    events: &[Value],
    as_events: bool,
    pause: Duration,
    cue: &Cue,
    under_way: UnderWay,
) -> HttpResponse {
    let pause = pause.max(
        Duration::from_millis(cue.slow_ms) / u32::try_from(events.len().max(1)).unwrap_or(u32::MAX),
    );
    let write = if as_events { as_event } else { as_element };
    let mut pieces: Vec<Piece> = events
        .iter()
        .enumerate()
        .map(|(place, event)| (pause, Ok(write(place, event))))
        .collect();
    let breaks_after = cue.after_events.unwrap_or(1);
    if cue.breaks == Some(Break::Cut) {
        pieces.truncate(breaks_after);
        pieces.push((PARTING, Err(broken())));
    } else if !as_events {
        pieces.push((Duration::ZERO, Ok(Bytes::from_static(b"]"))));
    }
    let kind = if as_events { "text/event-stream" } else { JSON };
    HttpResponse::Ok()
        .content_type(kind)
        .streaming(Box::pin(sent(pieces, under_way)))
}

fn as_event(_: usize, event: &Value) -> Bytes {
    // An error in the middle of a stream comes bare, unlike everything else.
    if event["error"].is_object() {
        format!("{event}\r\n").into()
    } else {
        format!("data: {event}\r\n\r\n").into()
    }
}

fn as_element(place: usize, event: &Value) -> Bytes {
    format!("{}{event}", if place == 0 { "[" } else { ",\r\n" }).into()
}

fn slowly(body: &Bytes, time: Duration) -> Vec<Piece> {
    let size = body.len().div_ceil(PIECES as usize).max(1);
    let piece = |start| {
        (
            time / PIECES,
            Ok(body.slice(start..body.len().min(start + size))),
        )
    };
    (0..body.len()).step_by(size).map(piece).collect()
}

/// The pieces as they leave; the call is under way until the last one has.
fn sent(pieces: Vec<Piece>, under_way: UnderWay) -> impl Stream<Item = io::Result<Bytes>> {
    let pieces = stream::iter(pieces).then(async |(pause, piece): Piece| {
        if !pause.is_zero() {
            sleep(pause).await;
        }
        piece
    });
    pieces.inspect(move |_| _ = &under_way)
}

fn broken() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
