//! Which managers of one origin take turns, and which of them share tokens.
//!
//! A manager has two names. **The turn** covers every manager that might set the same cookie: it is broad,
//! because waiting too often does no harm. **The share** covers identical managers: only they pass tokens on,
//! hear of each other's logout, and finish a pending one. A token never reaches a manager whose options would
//! send it elsewhere.

use super::apis::Apis;
use super::attach::Attach;
use super::digest::{NONE, add, digest};
use super::dpop::DpopKeys;
use super::endpoint::{Carrier, Content, Credentials, Endpoint, Sends};
use super::options::Options;
use super::policy::Policy;
use super::tabs::PROTOCOL;
use super::text::{concat, split_at_any};

/// The names of a manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Calls that set the cookie take turns under this name: the refresh endpoint's origin and path.
    pub(crate) turn: String,
    /// Identical managers share under this name. `None`: an option that would have to be compared is a
    /// function, and the app has chosen no name.
    pub(crate) share: Option<String>,
    /// The name under which the key for bound tokens is stored: a digest of the options that identify the
    /// refresh token, and of no others. The refresh token is bound to the key, too, and outlives a new
    /// version of the app.
    pub(crate) key: String,
}

impl Identity {
    /// The names of a manager with these options, which are already validated. `has_functions`: whether the
    /// refresh or the header fields are functions.
    pub(crate) fn new(options: &Options, policy: &Policy, has_functions: bool) -> Self {
        let calls = [Some(&options.refresh), options.logout.as_ref()];
        let mut urls = calls.into_iter().flatten().map(|call| call.url.as_str());
        let url = urls.find(|url| !url.is_empty());
        // If a function refreshes, or nothing does, another URL of the manager is used.
        let [origin, path] = policy.apis.names().next().unwrap_or_default();
        let turn = match url {
            Some(url) => concat(&["tokenkeep ", split_at_any(url, b"?").0]),
            None => concat(&["tokenkeep ", origin, path]),
        };
        let mut parts = Parts(NONE);
        parts.maybe(options.name.as_deref());
        parts.endpoint(&options.refresh);
        let key = concat(&["tokenkeep key ", &hex(parts.0)]);
        parts.others(options, &policy.apis);
        let share = concat(&["tokenkeep ", PROTOCOL, " ", &hex(parts.0)]);
        let share = (options.name.is_some() || !has_functions).then_some(share);
        Self { turn, share, key }
    }
}

/// The digest of all compared options. Header fields may hold an API key, so only the digest is kept.
struct Parts(u64);

impl Parts {
    /// Adds all options but the name and the refresh.
    fn others(&mut self, options: &Options, apis: &Apis) {
        self.text(&options.subject);
        match &options.logout {
            Some(logout) => self.endpoint(logout),
            None => self.text("no logout"),
        }
        // The order of the APIs does not matter.
        self.0 ^= apis.names().fold(0, |sum: u64, name| sum.wrapping_add(digest(&name)));
        self.text("end");
        match &options.attach {
            Attach::Header(name, scheme) => self.texts(&["header", name, scheme]),
            Attach::Query(name) => self.texts(&["query", name]),
            Attach::Cookie(csrf) => {
                self.text("cookie");
                self.pair(csrf.as_ref());
            }
        }
        self.text(match options.dpop {
            None => "bearer",
            Some(DpopKeys::Stored) => "dpop",
            Some(DpopKeys::Memory) => "dpop in memory",
        });
        self.maybe(options.adopt.as_deref());
        self.texts(&[
            &options.access_token_at,
            &options.refresh_token_at,
            &options.expires_in_at,
            &options.expires_at_at,
            &options.session_expires_in_at,
        ]);
        self.pair(options.csrf.as_ref());
        match &options.refresh_token {
            Carrier::Cookie => self.text("cookie"),
            Carrier::Json(field) => self.texts(&["json", field]),
            Carrier::Form(field) => self.texts(&["form", field]),
            Carrier::Header(name, scheme) => {
                self.texts(&["header", name]);
                self.maybe(scheme.as_deref());
            }
        }
    }

    fn endpoint(&mut self, endpoint: &Endpoint) {
        self.texts(&[&endpoint.method, &endpoint.url]);
        self.pairs(&endpoint.headers);
        match &endpoint.content {
            Content::Empty => self.text("empty"),
            Content::Text(text) => self.texts(&["text", text]),
            Content::Fields(fields) => {
                self.text("fields");
                self.pairs(fields);
            }
        }
        self.text(match endpoint.credentials {
            Credentials::Include => "include",
            Credentials::SameOrigin => "same-origin",
            Credentials::Omit => "omit",
        });
        self.pair(endpoint.csrf.as_ref());
        self.text(match endpoint.sends {
            None => "nothing",
            Some(Sends::Access) => "access",
            Some(Sends::Refresh) => "refresh",
            Some(Sends::Token) => "token",
        });
    }

    fn text(&mut self, text: &str) {
        self.0 = add(self.0, text);
    }

    fn texts(&mut self, texts: &[&str]) {
        for text in texts {
            self.text(text);
        }
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.texts(&[if text.is_some() { "some" } else { "none" }, text.unwrap_or_default()]);
    }

    fn pair(&mut self, pair: Option<&(String, String)>) {
        self.maybe(pair.map(|(one, _)| one.as_str()));
        self.maybe(pair.map(|(_, other)| other.as_str()));
    }

    fn pairs(&mut self, pairs: &[(String, String)]) {
        for (name, value) in pairs {
            self.texts(&[name, value]);
        }
        self.text("end");
    }
}

/// A number in sixteen hexadecimal digits.
fn hex(number: u64) -> String {
    let mut digits = String::new();
    for at in (0..16).rev() {
        digits.push(char::from(b"0123456789abcdef"[(number >> (4 * at) & 15) as usize]));
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::super::apis::Api;
    use super::*;

    fn identity(change: impl FnOnce(&mut Options)) -> Identity {
        with(change, &["https://app.test/"], false)
    }

    fn with(change: impl FnOnce(&mut Options), apis: &[&str], has_functions: bool) -> Identity {
        let mut options = Options::new("https://app.test/auth/refresh?account=0");
        change(&mut options);
        let apis = apis.iter().map(|href| Api::parse(href).unwrap()).collect();
        let policy = Policy { apis: Apis::new(apis), ..Policy::default() };
        Identity::new(&options, &policy, has_functions)
    }

    fn field(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn the_turn_is_the_refresh_endpoint_without_its_query() {
        let one = identity(|_| ());
        let other = identity(|options| options.refresh.url.push('1'));
        assert_eq!(one.turn, "tokenkeep https://app.test/auth/refresh");
        assert_eq!(one.turn, other.turn);
        assert_ne!(one.share, other.share);
    }

    #[test]
    fn with_a_refresh_function_the_turn_is_another_url() {
        let none = |options: &mut Options| options.refresh.url.clear();
        assert_eq!(
            with(none, &["https://api.test/v1"], true).turn,
            "tokenkeep https://api.test/v1"
        );
        let logout = |options: &mut Options| {
            options.refresh.url.clear();
            options.logout = Some(Endpoint::new("https://app.test/out"));
        };
        assert_eq!(identity(logout).turn, "tokenkeep https://app.test/out");
    }

    #[test]
    fn options_for_where_a_token_comes_from_and_goes_distinguish_managers() {
        let changes: [fn(&mut Options); 19] = [
            |o| o.name = Some("shop".into()),
            |o| o.subject = "user_id".into(),
            |o| o.refresh.method = "GET".into(),
            |o| o.refresh.headers = field("X-Tenant", "1"),
            |o| o.refresh.content = Content::Fields(field("client_id", "a")),
            |o| o.refresh.content = Content::Fields(field("client_id", "b")),
            |o| o.refresh.content = Content::Text("client_id".into()),
            |o| o.refresh.credentials = Credentials::Omit,
            |o| o.logout = Some(Endpoint::new("https://app.test/out")),
            |o| o.attach = Attach::Header("X-Token".into(), String::new()),
            |o| o.attach = Attach::Query("token".into()),
            |o| o.attach = Attach::Cookie(None),
            |o| o.adopt = Some("X-New".into()),
            |o| o.dpop = Some(DpopKeys::Stored),
            |o| o.dpop = Some(DpopKeys::Memory),
            |o| o.access_token_at = "data.token".into(),
            |o| o.refresh_token = Carrier::Json("refresh".into()),
            |o| o.refresh_token = Carrier::Form("refresh".into()),
            |o| o.refresh_token = Carrier::Header("refresh".into(), None),
        ];
        let mut seen =
            vec![identity(|_| ()).share, with(|_| (), &["https://b.test/"], false).share];
        seen.extend(changes.map(|change| identity(change).share));
        for (at, share) in seen.iter().enumerate() {
            assert!(share.is_some());
            assert!(!seen[..at].contains(share), "{at}");
        }
    }

    #[test]
    fn the_order_of_the_apis_does_not_matter() {
        let one = with(|_| (), &["https://a.test/", "https://b.test/"], false);
        assert_eq!(
            one,
            with(|_| (), &["https://b.test/", "https://a.test/"], false).with_turn(&one)
        );
    }

    #[test]
    fn managers_with_functions_share_only_under_a_name() {
        assert_eq!(with(|_| (), &[], true).share, None);
        let named = |name: &'static str| with(move |o| o.name = Some(name.into()), &[], true).share;
        assert!(named("shop").is_some());
        assert_eq!(named("shop"), named("shop"));
        assert_ne!(named("shop"), named("mail"));
    }

    #[test]
    fn the_key_belongs_to_the_owner_of_the_refresh_token() {
        let key = |change: fn(&mut Options)| identity(change).key;
        let same = key(|_| ());
        assert_eq!(with(|_| (), &["https://b.test/"], false).key, same);
        assert_eq!(key(|o| o.access_token_at = "data.token".into()), same);
        assert_ne!(key(|o| o.refresh.url.push('1')), same);
        assert_ne!(key(|o| o.name = Some("mail".into())), same);
    }

    #[test]
    fn no_option_is_readable_in_a_name() {
        let key = |o: &mut Options| o.refresh.headers = field("X-Key", "abc-secret");
        let Identity { turn, share, key } = identity(key);
        assert!(![turn, share.unwrap(), key].iter().any(|name| name.contains("secret")));
    }

    impl Identity {
        fn with_turn(self, other: &Self) -> Self {
            Self { turn: other.turn.clone(), ..self }
        }
    }
}
