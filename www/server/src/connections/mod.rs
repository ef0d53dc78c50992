//! Connections, and their limits: no client may take longer than `Patience` allows, or keep others out. hyper
//! has a time-out for headers only, and none for bodies, idle clients and clients that do not read their
//! answer.

mod io;
mod table;

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request},
    http::Response,
    serve::Listener,
};
use hyper::{
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{sync::watch, time::interval};
use tower::ServiceExt;

use crate::serve::Peer;
use io::Watched;
use table::{Entry, Table};

/// A head of 64 KiB is larger than any browser's.
const LARGEST_HEAD: usize = 64 * 1024;

/// How long a client may take, and how many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the connection, or from a request's first byte, to the end of the request's head.
    pub head: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// For a body, plus one second for each KiB that has arrived.
    pub body: Duration,
    /// Without accepting a byte of the answer.
    pub answer: Duration,
    /// Beyond this number, a connection that waits for its client is closed.
    pub connections: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(20),
            answer: Duration::from_secs(20),
            connections: 512,
        }
    }
}

/// Serves until told to stop, and then until the last answer is sent.
pub async fn serve<L>(
    mut listener: L,
    router: Router,
    patience: Patience,
    stopped: watch::Receiver<bool>,
) where
    L: Listener<Addr = SocketAddr>,
{
    let table = Arc::new(Table::new(patience));
    // Each connection holds a clone: the channel closes when the last connection has ended.
    let (alive, mut ended) = tokio::sync::mpsc::channel::<Infallible>(1);
    let mut stopping = stopped.clone();
    let mut sweep = interval(Duration::from_secs(1).min(patience.head / 2));
    loop {
        tokio::select! {
            (stream, peer) = listener.accept() => {
                let entry = table.open(peer.ip());
                let connection = connection(stream, peer, entry, router.clone(), stopped.clone());
                let alive = alive.clone();
                tokio::spawn(async move {
                    connection.await;
                    drop(alive);
                });
            }
            _ = sweep.tick() => table.sweep(),
            // An error means that the sender is gone: stop as well.
            _ = stopping.wait_for(|stop| *stop) => break,
        }
    }
    drop((listener, alive));
    ended.recv().await;
}

async fn connection<Io>(
    stream: Io,
    peer: SocketAddr,
    entry: table::Open,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) where
    Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let entry = &*entry;
    let io = TokioIo::new(Watched::new(stream, entry.clone()));
    let answer = service_fn(|request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move { router.oneshot(request_of(request, peer, entry)).await.map(|r| answer(r, entry)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Our own limit starts with the connection, and differs from an idle client's.
        .header_read_timeout(None)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(io, answer);
    let mut connection = pin!(connection);
    let mut stopping = false;
    loop {
        tokio::select! {
            // The error is the client's: it has left, or has not sent HTTP.
            _ = connection.as_mut() => break,
            () = entry.closed() => break,
            _ = stopped.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

fn request_of(request: hyper::Request<Incoming>, peer: SocketAddr, entry: &Arc<Entry>) -> Request {
    let mut request = request.map(|body| {
        entry.head_is_whole(body.is_end_stream());
        Body::new(Counted { body, entry: entry.clone() })
    });
    request.extensions_mut().insert(ConnectInfo(Peer(peer)));
    request
}

fn answer(response: Response<Body>, entry: &Arc<Entry>) -> Response<Answering> {
    response.map(|body| Answering { body, entry: entry.clone() })
}

/// A request's body whose progress is watched.
struct Counted {
    body: Incoming,
    entry: Arc<Entry>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = &frame {
            let bytes = frame
                .as_ref()
                .and_then(|frame| frame.as_ref().ok()?.data_ref())
                .map_or(0, Bytes::len);
            self.entry.body_has_come(bytes, frame.is_none() || self.body.is_end_stream());
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body. At its end the connection waits for the next request.
struct Answering {
    body: Body,
    entry: Arc<Entry>,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.entry.is_answered();
    }
}
