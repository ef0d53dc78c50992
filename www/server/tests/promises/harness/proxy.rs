//! A proxy between the server and its store, which treats the answer to one exchange as a network might.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
};

#[derive(Clone, Copy, PartialEq)]
pub enum Fate {
    /// The connection breaks instead.
    Lost,
    /// The answer arrives when it is released.
    Held,
}

#[derive(Clone)]
pub struct Proxy {
    pub url: String,
    target: Arc<Mutex<String>>,
    wanted: Arc<Mutex<Option<Wanted>>>,
    /// Whether the store has answered the exchange.
    answered: watch::Sender<bool>,
    released: watch::Sender<bool>,
}

struct Wanted {
    /// A text that occurs in the exchange.
    needle: String,
    /// How many earlier requests contain it, too.
    before: usize,
    fate: Fate,
}

/// For one connection: what to do with the next answer.
type Caught = Arc<Mutex<Option<Fate>>>;

impl Proxy {
    /// In front of the store with a URL such as `scheme://[user@]127.0.0.1:port[/name]`.
    pub async fn start(url: &str) -> Self {
        let (head, rest) = url.split_once("127.0.0.1:").expect("a loopback URL");
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let tail = &rest[port.len()..];
        let target = Arc::new(Mutex::new(format!("127.0.0.1:{port}")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("its address");
        let proxy = Self {
            url: format!("{head}{own}{tail}"),
            target,
            wanted: Arc::default(),
            answered: watch::Sender::new(false),
            released: watch::Sender::new(false),
        };
        let clone = proxy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let target = clone.target.lock().expect("whole").clone();
                let Ok(store) = TcpStream::connect(target).await else {
                    continue;
                };
                clone.join(stream, store);
            }
        });
        proxy
    }

    /// New connections lead to another store; existing ones stay.
    pub fn lead_to(&self, url: &str) {
        let (_, address) = url.split_once("://").expect("a URL");
        *self.target.lock().expect("whole") = address.to_owned();
    }

    /// The exchange first asks for the token's family, so that its digest is sent twice.
    pub fn catch_exchange(&self, digest: &str, fate: Fate) {
        self.answered.send_replace(false);
        self.released.send_replace(false);
        *self.wanted.lock().expect("whole") =
            Some(Wanted { needle: digest.to_owned(), before: 1, fate });
    }

    /// Waits until the store has carried it out.
    pub async fn until_answered(&self) {
        let mut answered = self.answered.subscribe();
        answered.wait_for(|answered| *answered).await.expect("the proxy lives");
    }

    pub fn release(&self) {
        self.released.send_replace(true);
    }

    fn join(&self, server: TcpStream, store: TcpStream) {
        let caught = Arc::default();
        let (from_server, to_server) = server.into_split();
        let (from_store, to_store) = store.into_split();
        tokio::spawn(self.clone().requests(from_server, to_store, Arc::clone(&caught)));
        tokio::spawn(self.clone().answers(from_store, to_server, caught));
    }

    async fn requests(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, caught: Caught) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            {
                let mut wanted = self.wanted.lock().expect("whole");
                if let Some(known) = wanted.as_mut()
                    && text.contains(&known.needle)
                {
                    if known.before == 0 {
                        *caught.lock().expect("whole") = Some(known.fate);
                        *wanted = None;
                    } else {
                        known.before -= 1;
                    }
                }
            }
            if to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    }

    async fn answers(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, caught: Caught) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            // A Redis that does not know the script yet has not carried it out.
            let asks_for_script = buffer[..length].starts_with(b"-NOSCRIPT");
            let fate = if asks_for_script { None } else { caught.lock().expect("whole").take() };
            if let Some(fate) = fate {
                self.answered.send_replace(true);
                if fate == Fate::Lost {
                    return;
                }
                let mut released = self.released.subscribe();
                released.wait_for(|released| *released).await.expect("the proxy lives");
            }
            if to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    }
}
