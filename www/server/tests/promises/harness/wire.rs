//! A client on a real connection, for tests that need more than the router.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends one request and reads to the end of the connection. An error means that the connection was cut.
pub async fn send(
    address: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let mut request = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Logs alice in, and returns her cookie.
pub async fn login(address: SocketAddr) -> String {
    let json = ("Content-Type", "application/json");
    let body = r#"{"username":"alice","password":"wonderland"}"#;
    let answer = send(address, "POST /auth/login", &[json], body).await.expect("an answer");
    between(&answer, "__Host-refresh=", ";").to_owned()
}

pub async fn refresh(address: SocketAddr, cookie: &str) -> io::Result<String> {
    let cookie = format!("__Host-refresh={cookie}");
    let headers =
        [("Cookie", cookie.as_str()), ("X-Requested-With", "t"), ("Sec-Fetch-Site", "same-origin")];
    send(address, "POST /auth/refresh", &headers, "").await
}

/// The value of a header, or of a string field of a JSON body: the text between `before` and `after`.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before)
        .and_then(|(_, rest)| rest.split_once(after))
        .map_or_else(|| panic!("no {before} in {text}"), |(value, _)| value)
}
