//! How Redis is reached: at one address, at the primary that Sentinels name, or as a cluster.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use redis::{
    Client, Cmd, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, RedisResult,
    ServerErrorKind,
    aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig},
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    io::tcp::TcpSettings,
    sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType},
};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

use crate::store::{PATIENCE, Result, StoreError};

/// Shared and cheap to clone: all requests share one connection.
#[derive(Clone)]
pub enum Connection {
    Single(ConnectionManager),
    Cluster(ClusterConnection),
}

impl Connection {
    pub async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        let value = match self {
            Self::Single(connection) => connection.req_packed_command(command).await,
            Self::Cluster(connection) => connection.req_packed_command(command).await,
        }?;
        Ok(T::from_redis_value(value.extract_error()?)?)
    }
}

/// The current connection, and how to get the next one.
pub struct Link {
    connection: RwLock<Connection>,
    source: Source,
    /// Held while looking for the next connection.
    looking: Mutex<()>,
}

enum Source {
    /// The server at this address.
    Address(Client),
    Sentinels(Mutex<SentinelClient>),
    Cluster(ClusterClient),
}

/// How long to wait before looking for a connection again.
const PAUSE: Duration = Duration::from_millis(500);

impl Link {
    pub async fn single(url: &str) -> Result<Arc<Self>> {
        let info = url.into_connection_info()?;
        let client = Client::open(info.set_tcp_settings(tcp()))?;
        let manager = in_time(client.get_connection_manager_with_config(patience())).await?;
        Ok(Self::new(Connection::Single(manager), Source::Address(client)))
    }

    /// `nodes`: `[user:password@]host:port,host:port…/name`. The login is for Redis; the Sentinels require
    /// none.
    pub async fn sentinel(nodes: &str) -> Result<Arc<Self>> {
        let (nodes, name) = nodes
            .split_once('/')
            .ok_or_else(|| StoreError("redis: which primary shall the Sentinels name?".into()))?;
        let (login, hosts) = split_login(nodes);
        // The parameters for Redis come from a URL, as everywhere.
        let info = format!("redis://{login}localhost").into_connection_info()?;
        let node = SentinelNodeConnectionInfo::default()
            .set_redis_connection_info(info.redis_settings().clone())
            .set_tcp_settings(tcp());
        let urls: Vec<_> = hosts.split(',').map(|host| format!("redis://{host}")).collect();
        let role = SentinelServerType::Master;
        let mut sentinels = SentinelClient::build(urls, name, Some(node), role)?;
        let manager = in_time(async {
            let client = sentinels.async_get_client().await?;
            client.get_connection_manager_with_config(patience()).await
        })
        .await?;
        Ok(Self::new(Connection::Single(manager), Source::Sentinels(Mutex::new(sentinels))))
    }

    /// `nodes`: `[user:password@]host:port,host:port…`. A few are enough: they name the others.
    pub async fn cluster(scheme: &str, nodes: &str) -> Result<Arc<Self>> {
        let (login, hosts) = split_login(nodes);
        let urls = hosts.split(',').map(|host| format!("{scheme}://{login}{host}"));
        let client = ClusterClientBuilder::new(urls)
            // A command whose answer was lost is sent again: every script tolerates repetition.
            .retries(3)
            .min_retry_wait(50)
            .max_retry_wait(500)
            .connection_timeout(Duration::from_secs(1))
            .response_timeout(PATIENCE)
            .tcp_settings(tcp())
            .build()?;
        let connection = in_time(client.get_async_connection()).await?;
        Ok(Self::new(Connection::Cluster(connection), Source::Cluster(client)))
    }

    fn new(connection: Connection, source: Source) -> Arc<Self> {
        let connection = RwLock::new(connection);
        Arc::new(Self { connection, source, looking: Mutex::default() })
    }

    pub fn connection(&self) -> Connection {
        self.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A call failed with this error, or had no answer: the primary may have changed.
    pub fn failed(self: &Arc<Self>, error: Option<&RedisError>) {
        let looks = match &self.source {
            // The manager reconnects to its address by itself. Only a live connection to a server that has
            // become a replica has to be given up.
            Source::Address(_) => error.is_some_and(is_replica),
            // A primary that is cut off from its replicas reports this: there may be another primary by now.
            Source::Sentinels(_) => true,
            Source::Cluster(_) => !error.is_some_and(is_refusal),
        };
        if looks {
            tokio::spawn(self.clone().look_again());
        }
    }

    /// Runs beside the failed request, which has no time left. Of many such requests one looks; if it finds
    /// nothing, the next failing request looks.
    async fn look_again(self: Arc<Self>) {
        let Ok(_held) = self.looking.try_lock() else {
            return;
        };
        let lead_to = |client| {
            Ok(Connection::Single(ConnectionManager::new_lazy_with_config(client, patience())?))
        };
        let found = match &self.source {
            Source::Address(client) => lead_to(client.clone()),
            Source::Sentinels(sentinels) => {
                in_time(async { sentinels.lock().await.async_get_client().await })
                    .await
                    .and_then(lead_to)
            }
            // The client finds the primaries itself, but may lose all of them, and then has no node to ask.
            Source::Cluster(client) => {
                in_time(client.get_async_connection()).await.map(Connection::Cluster)
            }
        };
        if let Ok(connection) = found {
            *self.connection.write().unwrap_or_else(PoisonError::into_inner) = connection;
        }
        sleep(PAUSE).await;
    }
}

fn is_replica(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

/// A healthy primary may refuse, for example for lack of memory or of replicas.
fn is_refusal(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Extension
            | ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::NoPerm)
    )
}

async fn in_time<T>(work: impl Future<Output = RedisResult<T>>) -> Result<T> {
    Ok(timeout(PATIENCE * 2, work).await.map_err(|_| StoreError::late("redis"))??)
}

/// A request waits a moment for a lost connection to return, then is answered 503.
fn patience() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_number_of_retries(2)
        .set_connection_timeout(Some(Duration::from_secs(1)))
        .set_response_timeout(Some(PATIENCE))
}

/// A connection into a network that drops everything must not be kept for the default quarter of an hour.
fn tcp() -> TcpSettings {
    let settings = TcpSettings::default();
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(PATIENCE);
    settings
}

/// Splits off `user:password@`.
fn split_login(nodes: &str) -> (&str, &str) {
    let end = nodes.rfind('@').map_or(0, |at| at + 1);
    nodes.split_at(end)
}
