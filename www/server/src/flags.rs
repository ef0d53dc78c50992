//! The command line. A wrong flag is one line: which flag, what it got, what it takes.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use lexopt::{Arg, Parser, ValueExt};

use crate::{
    address::Cidr,
    config::{Client, Config, Limit, NewUser, TokenKind},
    secret::Secret,
    store,
};

pub const HELP: &str = "\
tokenkeep-server: the reference auth server

  --port N                 8080; 0 lets the system choose
  --host ADDRESS           127.0.0.1
  --access-ttl TIME        5m: how long an access token lives, 1s or more
  --refresh-ttl TIME       7d: how long a session lives without a refresh
  --reuse-grace TIME       0s: how long a used refresh token may be used again
  --tokens jwt|opaque      jwt
  --store URL              sqlite::memory: | sqlite:FILE | postgres://HOST/DATABASE | redis://HOST
                           | redis+cluster://HOST:PORT,HOST:PORT
  --origin ORIGIN          another origin whose pages may call, such as https://app.example (repeatable)
  --user NAME:PASSWORD[:ROLE,ROLE]   an account to write into the store (repeatable)
  --client ID:SECRET       who may introspect and revoke (repeatable)
  --login-limit N/TIME     10/1m: logins for each address and user
  --address-limit N/TIME   30/1m: wrong logins for each address, over all users
  --account-limit N/TIME   100/1h: wrong logins for each user, from places that are new to him
  --refresh-limit N/TIME   60/1m: refreshes for each session
  --trusted-proxy CIDR     whose Forwarded or X-Forwarded-For says who the client is (repeatable)
  --connections N          512: one more, and one that waits for its client is closed
  --www DIR                a page to serve at /
  --package DIR            the package's files, served at /tokenkeep/
  --demo                   demo accounts, high limits, fault switches; on a loopback address only
  --plain-cookie           with --demo, for WebKit, which keeps no Secure cookie of http://127.0.0.1
  --help
";

pub enum Asked {
    Serve(Box<Config>),
    Help,
}

/// Under --demo, unless a flag says otherwise: fifty tabs are one address and one user.
const DEMO_LIMIT: Limit = Limit::per_minute(100_000);

pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
    let mut parser = Parser::from_args(arguments);
    let mut config = Config::default();
    // Set at the end, for --demo may come after them.
    let mut limits = Vec::new();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let Arg::Long(name) = argument else {
            return Err(format!("{} is no flag; see --help", written(&argument)));
        };
        let name = name.to_owned();
        match name.as_str() {
            "help" => return Ok(Asked::Help),
            "demo" => config.demo = true,
            "plain-cookie" => config.plain_cookie = true,
            "port" => config.port = number(value(&mut parser, &name)?)?,
            "host" => {
                config.host = value(&mut parser, &name)?
                    .read("an IP address such as 127.0.0.1", |text| text.parse().ok())?;
            }
            "access-ttl" => {
                config.access_ttl = value(&mut parser, &name)?
                    .read("a time of 1s or more, such as 5m", |text| {
                        time(text).filter(|time| *time >= Duration::from_secs(1))
                    })?;
            }
            "refresh-ttl" => {
                config.refresh_ttl = value(&mut parser, &name)?
                    .read("a time of 1s or more, such as 7d", |text| {
                        time(text).filter(|time| *time >= Duration::from_secs(1))
                    })?;
            }
            "reuse-grace" => {
                config.reuse_grace = value(&mut parser, &name)?.read("a time such as 10s", time)?;
            }
            "tokens" => {
                config.tokens =
                    value(&mut parser, &name)?.read("jwt or opaque", |text| match text {
                        "jwt" => Some(TokenKind::Jwt),
                        "opaque" => Some(TokenKind::Opaque),
                        _ => None,
                    })?;
            }
            "store" => {
                config.store = value(&mut parser, &name)?
                    .secret(store::URLS, |text| store::is_url(text).then(|| text.to_owned()))?;
            }
            "origin" => {
                let origin = value(&mut parser, &name)?
                    .read("an origin such as https://app.example, without a path", origin)?;
                config.origins.push(origin);
            }
            "user" => {
                let user = value(&mut parser, &name)?.secret("NAME:PASSWORD[:ROLE,ROLE]", user)?;
                config.users.push(user);
            }
            "client" => {
                let client = value(&mut parser, &name)?.secret(
                    "ID:SECRET, of letters, digits and -._~, the secret of 16 or more",
                    client,
                )?;
                config.clients.push(client);
            }
            "login-limit" | "address-limit" | "account-limit" | "refresh-limit" => {
                let limit = value(&mut parser, &name)?.read("N/TIME such as 10/1m", limit)?;
                limits.push((name, limit));
            }
            "trusted-proxy" => {
                let range = value(&mut parser, &name)?
                    .read("addresses such as 10.0.0.0/8 or ::1", Cidr::parse)?;
                config.trusted_proxies.push(range);
            }
            "connections" => {
                config.patience.connections = value(&mut parser, &name)?
                    .read("a number of 1 or more", |text| {
                        text.parse().ok().filter(|count| *count > 0)
                    })?;
            }
            "www" => config.www = Some(folder(value(&mut parser, &name)?)?),
            "package" => config.package = Some(folder(value(&mut parser, &name)?)?),
            _ => return Err(format!("--{name} is no flag; see --help")),
        }
    }
    if config.demo {
        // The switches have no password.
        if !config.host.is_loopback() {
            return Err(format!(
                "--host: got {}, --demo takes a loopback address only",
                config.host
            ));
        }
        for limit in [
            &mut config.login_limit,
            &mut config.address_limit,
            &mut config.account_limit,
            &mut config.refresh_limit,
        ] {
            *limit = DEMO_LIMIT;
        }
        config.users.extend(crate::demo::accounts());
        config.clients.push(crate::demo::client());
    }
    if config.plain_cookie && !config.demo {
        return Err("--plain-cookie: is for --demo alone".to_owned());
    }
    for (name, limit) in limits {
        *match name.as_str() {
            "login-limit" => &mut config.login_limit,
            "address-limit" => &mut config.address_limit,
            "account-limit" => &mut config.account_limit,
            _ => &mut config.refresh_limit,
        } = limit;
    }
    Ok(Asked::Serve(Box::new(config)))
}

/// A flag and what it got.
struct Value {
    flag: String,
    text: String,
}

fn value(parser: &mut Parser, flag: &str) -> Result<Value, String> {
    let text = parser
        .value()
        .map_err(|_| format!("--{flag}: got nothing, takes a value; see --help"))?
        .string()
        .map_err(|_| format!("--{flag}: got something that is no UTF-8"))?;
    Ok(Value { flag: flag.to_owned(), text })
}

impl Value {
    fn read<T>(&self, takes: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, String> {
        read(&self.text)
            .ok_or_else(|| format!("--{}: got `{}`, takes {takes}", self.flag, self.text))
    }

    /// The same for a value that must not be shown.
    fn secret<T>(&self, takes: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, String> {
        read(&self.text)
            .ok_or_else(|| format!("--{}: got something else, takes {takes}", self.flag))
    }
}

fn number(value: Value) -> Result<u16, String> {
    value.read("a number from 0 to 65535", |text| text.parse().ok())
}

fn folder(value: Value) -> Result<PathBuf, String> {
    value.read("a folder that exists", |text| {
        let path = PathBuf::from(text);
        path.is_dir().then_some(path)
    })
}

fn time(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

fn limit(text: &str) -> Option<Limit> {
    let (count, window) = text.split_once('/')?;
    let (count, window) = (count.parse().ok()?, time(window)?);
    (count > 0 && window >= Duration::from_secs(1)).then_some(Limit { count, window })
}

fn origin(text: &str) -> Option<String> {
    let (scheme, host) = text.split_once("://")?;
    let plain = host.bytes().all(|byte| {
        byte.is_ascii_graphic() && !b"/?#@*".contains(&byte) && !byte.is_ascii_uppercase()
    });
    (matches!(scheme, "http" | "https") && !host.is_empty() && plain).then(|| text.to_owned())
}

fn user(text: &str) -> Option<NewUser> {
    let (name, rest) = text.split_once(':')?;
    let (password, roles) = rest.split_once(':').unwrap_or((rest, ""));
    let roles: Vec<String> =
        roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
    // These go into log lines, claims and headers.
    let plain = |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._@+".contains(&byte))
    };
    (plain(name) && !password.is_empty() && roles.iter().all(|role| plain(role))).then(|| NewUser {
        name: name.to_owned(),
        password: Secret::new(password.to_owned()),
        roles,
    })
}

fn client(text: &str) -> Option<Client> {
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    (!id.is_empty() && secret.len() >= 16 && plain(id) && plain(secret))
        .then(|| Client { id: id.to_owned(), secret: Secret::new(secret.to_owned()) })
}

fn written(argument: &Arg) -> String {
    match argument {
        Arg::Short(letter) => format!("-{letter}"),
        Arg::Long(name) => format!("--{name}"),
        Arg::Value(value) => format!("`{}`", value.to_string_lossy()),
    }
}
