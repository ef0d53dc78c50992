//! Connections that can be cut, for faults in which no answer arrives.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
    serve::Listener,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

use super::Demo;
use crate::serve::Peer;

/// Marks the answer that will never be written.
#[derive(Clone, Copy)]
pub struct Cut;

/// The open connections by the address of the other end, which is unique among them.
#[derive(Default)]
pub struct Wires(Mutex<HashMap<SocketAddr, Arc<AtomicBool>>>);

impl Wires {
    /// Cuts the connection as soon as an answer is written; the returned answer is a placeholder.
    pub fn cut(&self, peer: Peer) -> Response {
        let wires = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cut) = wires.get(&peer.0) {
            cut.store(true, Ordering::SeqCst);
        }
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Cut);
        response
    }
}

pub struct Wire {
    listener: TcpListener,
    demo: Arc<Demo>,
}

impl Wire {
    pub fn new(listener: TcpListener, demo: Arc<Demo>) -> Self {
        Self { listener, demo }
    }
}

impl Listener for Wire {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        let cut = Arc::new(AtomicBool::new(false));
        self.demo.wires.0.lock().unwrap_or_else(PoisonError::into_inner).insert(peer, cut.clone());
        let connection = Connection { stream, peer, cut, demo: self.demo.clone() };
        (connection, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

pub struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    cut: Arc<AtomicBool>,
    demo: Arc<Demo>,
}

impl Connection {
    fn whole(&self) -> io::Result<()> {
        if self.cut.load(Ordering::SeqCst) {
            // With this, closing sends a reset instead of an orderly end.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.demo.wires.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.peer);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
