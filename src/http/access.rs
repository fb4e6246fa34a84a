//! Access: by which names the server may be called, from whose pages, and with which token.
//!
//! A page from elsewhere can reach a server in two ways. By DNS rebinding its own name comes to mean the
//! server's address; then `Host` carries that name, so only known names are answered. And it may send a form
//! or open a WebSocket across sites; then `Origin` differs from `Host`. The port is free in both, since a
//! tunnel may end at another one (`ssh -L 8080:localhost:9185`).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::problem::Problem;
use super::token::Token;
use crate::config;

/// Says in browsers whose page a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Says in browsers what it is for: a page, a picture, a script.
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Who may use a server.
#[derive(Debug)]
pub(super) struct Access {
    /// Names besides loopback's own, in small letters.
    hosts: Vec<String>,
    /// Whether other machines can reach it.
    pub(super) is_open: bool,
    pub(super) token: Option<Token>,
    /// Where it listens.
    pub(super) port: u16,
}

impl Access {
    pub(super) fn new(address: SocketAddr, http: &config::Http, token: Option<Token>) -> Access {
        let (hosts, is_open) = (http.hosts.clone(), !address.ip().is_loopback());
        Access { hosts, is_open, token, port: address.port() }
    }

    /// Whether a request may come in, as far as names and pages go. `target` is the authority of its request
    /// line, which stands above the `Host` header where it is there (RFC 9112, 3.2.2).
    pub(super) fn check(
        &self,
        method: &Method,
        headers: &HeaderMap,
        target: Option<&Authority>,
    ) -> Result<(), Problem> {
        let host = match (target, text(headers, header::HOST)) {
            (Some(target), _) => target.as_str(),
            (None, Some(host)) => host,
            (None, None) => return Err(Problem::bad_request("the Host header is missing")),
        };
        let name: Option<Authority> = host.parse().ok();
        let Some(name) = name.filter(|name| self.is_known(name.host())) else {
            let detail = "the Host header names another machine; open the panel as localhost, 127.0.0.1 or \
                 [::1], or name the host in `[http] hosts`";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        };
        let foreign = Problem::new(StatusCode::FORBIDDEN, "pages of other sites may not use this panel");
        if headers.get(header::ORIGIN).is_some_and(|origin| !self.is_own(origin, host, name.host())) {
            return Err(foreign);
        }
        // Browsers name no origin where a page sends what it could send before there were scripts, and where
        // it shows pictures. A link that somebody follows is all that may lead here from elsewhere.
        let elsewhere = text(headers, FETCH_SITE).is_some_and(|site| site.ends_with("-site"));
        let follows = *method == Method::GET && text(headers, FETCH_DEST) == Some("document");
        if elsewhere && !follows {
            return Err(foreign);
        }
        Ok(())
    }

    fn is_known(&self, host: &str) -> bool {
        let named = || self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        // An address cannot come to mean another one.
        let address = || self.is_open && address(host).is_some();
        is_loopback(host) || named() || address()
    }

    /// Whether an `Origin` is this server as the client names it. Programs that are no browsers send none.
    /// Only a name of its own can have a proxy with TLS before it.
    fn is_own(&self, origin: &HeaderValue, host: &str, name: &str) -> bool {
        let origin = origin.to_str().unwrap_or_default();
        let (scheme, rest) = origin.split_once("://").unwrap_or_default();
        let proxied = scheme == "https" && self.hosts.iter().any(|known| known.eq_ignore_ascii_case(name));
        (scheme == "http" || proxied) && rest.eq_ignore_ascii_case(host)
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn address(host: &str) -> Option<IpAddr> {
    let ipv6 = || host.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    ipv6().map(IpAddr::V6).or_else(|| host.parse().ok())
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || address(host).is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    fn access(listen: &str, hosts: &[&str]) -> Access {
        let listen: SocketAddr = listen.parse().unwrap();
        let hosts = hosts.iter().map(|host| (*host).into()).collect();
        Access::new(listen, &config::Http { listen, token: None, hosts }, None)
    }

    fn status(access: &Access, headers: &[(&'static str, &str)]) -> u16 {
        asked(access, Method::POST, headers)
    }

    fn asked(access: &Access, method: Method, headers: &[(&'static str, &str)]) -> u16 {
        let header =
            |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        let headers = headers.iter().map(header).collect();
        let checked = access.check(&method, &headers, None);
        checked.map_or_else(|problem| problem.into_response().status().as_u16(), |()| 200)
    }

    #[test]
    fn hosts() {
        let check = |access: &Access, table: &[(&str, u16)]| {
            for (host, expected) in table {
                assert_eq!(status(access, &[("host", host)]), *expected, "{host:?}");
            }
        };
        let own = access("127.0.0.1:9185", &["panel.local"]);
        assert_eq!(status(&own, &[]), 400);
        check(
            &own,
            &[
                ("127.0.0.1:9185", 200),
                ("localhost:9185", 200),
                ("LocalHost:9185", 200),
                ("127.0.0.2:9185", 200),
                ("[::1]:9185", 200),
                ("localhost", 200),
                ("localhost:8080", 200),
                ("panel.local", 200),
                ("Panel.Local:8080", 200),
                ("user@localhost:9185", 200),
                ("panel.example:9185", 403),
                ("localhost.evil.example:9185", 403),
                ("evil.example", 403),
                ("127.0.0.1.evil.example", 403),
                ("panel.local.evil.example", 403),
                ("192.168.1.10:9185", 403),
                ("0.0.0.0:9185", 403),
                ("[::]:9185", 403),
                ("", 403),
                ("localhost:x y", 403),
            ],
        );
        check(
            &access("0.0.0.0:9185", &[]),
            &[
                ("192.168.1.10:9185", 200),
                ("[fe80::1]", 200),
                ("localhost", 200),
                ("panel.local", 403),
                ("192.168.1.10.evil.example", 403),
            ],
        );
    }

    #[test]
    fn origins() {
        let access = access("127.0.0.1:9185", &["panel.local"]);
        for (host, origin, expected) in [
            ("localhost:9185", "http://localhost:9185", 200),
            ("localhost:9185", "http://LOCALHOST:9185", 200),
            ("localhost:9185", "http://127.0.0.1:9185", 403),
            ("localhost:9185", "http://localhost:3000", 403),
            ("localhost:9185", "http://localhost", 403),
            ("localhost:9185", "https://localhost:9185", 403),
            ("localhost:9185", "http://localhost:9185.evil.example", 403),
            ("localhost:9185", "https://evil.example", 403),
            ("localhost:9185", "null", 403),
            ("localhost:9185", "", 403),
            ("panel.local", "http://panel.local", 200),
            ("panel.local", "https://panel.local", 200),
            ("panel.local", "https://localhost", 403),
        ] {
            assert_eq!(status(&access, &[("host", host), ("origin", origin)]), expected, "{host} {origin}");
        }
        for (site, expected) in [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403)]
        {
            let headers = [("host", "localhost"), ("sec-fetch-site", site)];
            assert_eq!(status(&access, &headers), expected, "{site}");
        }
        for (site, purpose, expected) in [
            ("cross-site", "image", 403),
            ("same-site", "image", 403),
            ("cross-site", "iframe", 403),
            ("cross-site", "empty", 403),
            ("cross-site", "document", 200),
            ("same-origin", "image", 200),
            ("none", "document", 200),
        ] {
            let headers = [("host", "localhost"), ("sec-fetch-site", site), ("sec-fetch-dest", purpose)];
            assert_eq!(asked(&access, Method::GET, &headers), expected, "{site} {purpose}");
        }
        let form = [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];
        assert_eq!(status(&access, &form), 403, "a form that is sent to a new page");
    }

    #[test]
    fn request_line_stands_above_host() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        let target = Authority::from_static("evil.example");
        let access = access("127.0.0.1:9185", &[]);
        assert!(access.check(&Method::GET, &headers, Some(&target)).is_err());
    }
}
