//! The command line. The error for a wrong flag is one line: which flag, its value, and what it accepts.

use std::{ffi::OsString, fs, io, path::PathBuf, time::Duration};

use lexopt::{Arg, Parser, ValueExt};
use zeroize::Zeroizing;

use crate::{
    address::Cidr,
    config::{Client, Config, Dpop, Limit, NewUser, TokenKind},
    observe::audit::Audit,
    secret::Secret,
    store, totp,
};

pub const HELP: &str = "\
tokenkeep-server: the reference auth server

  --port N                 8080; 0 lets the system choose
  --host ADDRESS           127.0.0.1
  --access-ttl TIME        5m: how long an access token lives, 1s or more
  --refresh-ttl TIME       7d: how long a session lives without a refresh
  --session-ttl TIME       90d: how long a session lives at most, and unused if it is to be remembered
  --reuse-grace TIME       0s: how long a used refresh token may be used again
  --tokens jwt|opaque      jwt
  --dpop off|allowed|required   off: whether logins may or must bring a key that their tokens are bound to
                           (RFC 9449); takes --issuer
  --dpop-nonce             the proofs of that key need a nonce
  --issuer URL             under which address this server is known, such as https://auth.example
  --audience NAME          tokenkeep-api: whom access tokens are for
  --audience-of CLIENT=NAME   the same for those of one client (repeatable)
  --key-age TIME           90d: how old a signing key gets before another takes over
  --key-secret-file FILE   what the signing keys and second factors are sealed with: lines of 32 letters or
                           more, of which the first seals and all open
  --rotate-key             adds a signing key to the store, says its id, and ends
  --store URL              sqlite::memory: | sqlite:FILE | postgres://HOST/DATABASE | redis://HOST
                           | redis+sentinel://HOST:PORT,HOST:PORT/PRIMARY
                           | redis+cluster://HOST:PORT,HOST:PORT
                           with TLS: ?sslmode=require, rediss://, rediss+cluster://
  --origin ORIGIN          another origin whose pages may call, such as https://app.example (repeatable)
  --user-file FILE         accounts to add: lines of NAME:PASSWORD[:ROLE,ROLE[:SECRET]], where SECRET is an
                           authenticator app's, in base32; - is the standard input
  --client-file FILE       who may introspect, revoke and read the metrics: lines of ID:SECRET
  --user, --client         one such line; others on this machine can read it in the list of processes
  --login-limit N/TIME     10/1m: logins for each address and user
  --address-limit N/TIME   30/1m: wrong logins for each address, over all users
  --account-limit N/TIME   100/1h: wrong logins for each user, from places that are new to him
  --refresh-limit N/TIME   60/1m: refreshes for each session
  --trusted-proxy CIDR     whose Forwarded or X-Forwarded-For says who the client is (repeatable)
  --connections N          512: one more, and one that waits for its client is closed
  --audit FILE             adds audit events to it, as lines of JSON; - is the standard output
  --collector URL          where traces go: an OpenTelemetry collector such as http://127.0.0.1:4318
  --www DIR                a page to serve at /
  --package DIR            the package's files, served at /tokenkeep/
  --demo                   demo accounts, high limits, fault switches; on a loopback address only
  --plain-cookie           with --demo, for WebKit, which keeps no Secure cookie of http://127.0.0.1
  --help

The environment has what no flag should say: TOKENKEEP_STORE, TOKENKEEP_KEY_SECRET, and, one a line,
TOKENKEEP_USERS and TOKENKEEP_CLIENTS.
";

pub enum Asked {
    Serve(Box<Config>),
    RotateKey(Box<Config>),
    Help,
}

const SECOND: Duration = Duration::from_secs(1);

/// With --demo, unless a flag says otherwise: fifty tabs are one address and one user.
const DEMO_LIMIT: Limit = Limit::per_minute(100_000);

pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Asked, String> {
    let mut parser = Parser::from_args(arguments);
    let mut config = Config::default();
    let mut rotates = false;
    from_environment(&mut config, environment)?;
    // Set at the end, because --demo may come after them.
    let mut limits = Vec::new();
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let Arg::Long(name) = argument else {
            return Err(format!("{} is no flag; see --help", written(&argument)));
        };
        let name = name.to_owned();
        match name.as_str() {
            "help" => return Ok(Asked::Help),
            "demo" => config.demo = true,
            "rotate-key" => rotates = true,
            "plain-cookie" => config.plain_cookie = true,
            "port" => config.port = number(value(&mut parser, &name)?)?,
            "host" => {
                config.host = value(&mut parser, &name)?
                    .read("an IP address such as 127.0.0.1", |text| text.parse().ok())?;
            }
            "access-ttl" => {
                config.access_ttl = value(&mut parser, &name)?
                    .read("a time of 1s or more, such as 5m", at_least(SECOND))?;
            }
            "refresh-ttl" => {
                config.refresh_ttl = value(&mut parser, &name)?
                    .read("a time of 1s or more, such as 7d", at_least(SECOND))?;
            }
            "session-ttl" => {
                config.session_ttl = value(&mut parser, &name)?
                    .read("a time of 1s or more, such as 7d", at_least(SECOND))?;
            }
            "issuer" => {
                let issuer = value(&mut parser, &name)?
                    .read("an address such as https://auth.example, without a path", origin)?;
                config.issuer = Some(issuer);
            }
            "audience" => {
                config.audience = value(&mut parser, &name)?
                    .read("a name", |text| (!text.is_empty()).then(|| text.to_owned()))?;
            }
            "audience-of" => {
                let audience = value(&mut parser, &name)?.read("CLIENT=NAME", |text| {
                    let (client, audience) = text.split_once('=')?;
                    (!client.is_empty() && !audience.is_empty())
                        .then(|| (client.to_owned(), audience.to_owned()))
                })?;
                config.audiences.push(audience);
            }
            "key-age" => {
                // With a shorter time, keys would be replaced faster than resource servers read them.
                config.key_age = value(&mut parser, &name)?
                    .read("a time of 1h or more, such as 90d", at_least(60 * 60 * SECOND))?;
            }
            "key-secret-file" => {
                let text = file(&mut parser, &name)?;
                config.key_secrets = key_secrets(&format!("--{name}"), &text)?;
            }
            "user-file" => {
                let text = file(&mut parser, &name)?;
                config.users.extend(lines(&format!("--{name}"), &text, USER, user)?);
            }
            "client-file" => {
                let text = file(&mut parser, &name)?;
                config.clients.extend(lines(&format!("--{name}"), &text, CLIENT, client)?);
            }
            "audit" => {
                let path = PathBuf::from(value(&mut parser, &name)?.text);
                config.audit = Audit::file(&path).map_err(|error| {
                    format!("--audit: cannot write {}: {error}", path.display())
                })?;
            }
            "collector" => {
                let url = value(&mut parser, &name)?
                    .read("an address such as http://127.0.0.1:4318", |text| {
                        origin(text).filter(|text| text.starts_with("http://"))
                    })?;
                config.collector = Some(url);
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
            "dpop" => {
                config.dpop = value(&mut parser, &name)?.read(
                    "off, allowed or required",
                    |text| match text {
                        "off" => Some(Dpop::Off),
                        "allowed" => Some(Dpop::Allowed),
                        "required" => Some(Dpop::Required),
                        _ => None,
                    },
                )?;
            }
            "dpop-nonce" => config.dpop_nonce = true,
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
                let user = value(&mut parser, &name)?.secret(USER, user)?;
                config.users.push(user);
            }
            "client" => {
                let client = value(&mut parser, &name)?.secret(CLIENT, client)?;
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
    if config.dpop != Dpop::Off && config.issuer.is_none() && !config.demo {
        return Err("--dpop: takes --issuer, the address that proofs must be for".to_owned());
    }
    if config.dpop_nonce && config.dpop == Dpop::Off {
        return Err("--dpop-nonce: is for --dpop allowed or required".to_owned());
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
    let config = Box::new(config);
    Ok(if rotates { Asked::RotateKey(config) } else { Asked::Serve(config) })
}

const USER: &str = "NAME:PASSWORD[:ROLE,ROLE[:SECRET]]";
const CLIENT: &str = "ID:SECRET, of letters, digits and -._~, the secret of 16 or more";

/// The same as the flags, for values that others on the machine must not read in the process list.
fn from_environment(
    config: &mut Config,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<(), String> {
    const STORE: &str = "TOKENKEEP_STORE";
    const SECRET: &str = "TOKENKEEP_KEY_SECRET";
    const USERS: &str = "TOKENKEEP_USERS";
    const CLIENTS: &str = "TOKENKEEP_CLIENTS";
    // An unreadable secret is not a missing one: without it the server would store unsealed keys.
    let read = |name: &str| {
        let text = environment(name).map(OsString::into_string).transpose();
        text.map(|text| text.map(Zeroizing::new))
            .map_err(|_| format!("{name}: got something that is no UTF-8"))
    };
    if let Some(url) = read(STORE)? {
        if !store::is_url(&url) {
            return Err(format!("{STORE}: got something else, takes {}", store::URLS));
        }
        config.store = url.to_string();
    }
    if let Some(text) = read(SECRET)? {
        config.key_secrets = key_secrets(SECRET, &text)?;
    }
    if let Some(text) = read(USERS)? {
        config.users = lines(USERS, &text, USER, user)?;
    }
    if let Some(text) = read(CLIENTS)? {
        config.clients = lines(CLIENTS, &text, CLIENT, client)?;
    }
    Ok(())
}

/// The text of a file that a flag names.
fn file(parser: &mut Parser, flag: &str) -> Result<Zeroizing<String>, String> {
    let path = value(parser, flag)?.text;
    let read =
        if path == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(&path) };
    read.map(Zeroizing::new).map_err(|error| format!("--{flag}: cannot read {path}: {error}"))
}

/// The lines of a text, without empty ones and those that begin with `#`. An error names a wrong line by its
/// number, because the line contains a secret.
fn lines<T>(
    from: &str,
    text: &str,
    takes: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, String> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            read(line)
                .ok_or_else(|| format!("{from}: line {number} is something else than {takes}"))
        })
        .collect()
}

fn key_secrets(from: &str, text: &str) -> Result<Vec<Secret>, String> {
    let secret = |line: &str| (line.len() >= 32).then(|| Secret::new(line.to_owned()));
    let secrets = lines(from, text, "a secret of 32 letters or more", secret)?;
    if secrets.is_empty() { Err(format!("{from}: there is no secret")) } else { Ok(secrets) }
}

/// A flag and its value.
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

fn at_least(least: Duration) -> impl FnOnce(&str) -> Option<Duration> {
    move |text| time(text).filter(|time| *time >= least)
}

fn limit(text: &str) -> Option<Limit> {
    let (count, window) = text.split_once('/')?;
    let (count, window) = (count.parse().ok()?, time(window)?);
    (count > 0 && window >= SECOND).then_some(Limit { count, window })
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
    let mut rest = rest.splitn(3, ':');
    let (password, roles) = (rest.next()?, rest.next().unwrap_or(""));
    let second_factor = rest.next().map(|secret| Secret::new(secret.to_owned()));
    if second_factor.as_ref().is_some_and(|secret| totp::secret(secret.expose()).is_none()) {
        return None;
    }
    let roles: Vec<String> =
        roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
    // These values appear in log lines, claims and headers.
    let plain = |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._@+".contains(&byte))
    };
    (plain(name) && !password.is_empty() && roles.iter().all(|role| plain(role))).then(|| NewUser {
        name: name.to_owned(),
        password: Secret::new(password.to_owned()),
        roles,
        second_factor,
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
