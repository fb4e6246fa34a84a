//! Who may ask: tokens, names and pages.

use crate::config::Secret;
use crate::http::Site;
use crate::http::fixture::{FakePanel, Viewer, request};

use super::{check_problem, fake};

const TOKEN: &str = "0123456789abcdef+/=";

fn with_token(site: &mut Site) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    site.http.token = Some(Secret::File(file));
    folder
}

fn guarded(panel: &FakePanel) -> crate::http::Server {
    panel.serve_site(|site| drop(with_token(site).keep()))
}

#[test]
fn without_the_token_nothing_but_life_is_told() {
    let panel = fake();
    let server = guarded(&panel);
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    for line in
        ["GET /", "GET /api/v1/values", "GET /metrics", "GET /readyz", "POST /api/v1/signals/a", "GET /no"]
    {
        for header in
            ["X-No: token".into(), bearer("wrong"), bearer(&TOKEN[1..]), bearer(""), "Cookie: a=b".into()]
        {
            let answer = request(server.address(), line, &[&header]);
            check_problem(&answer, 401, "Unauthorized", &format!("{line} {header}"));
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert!(!answer.text().contains(TOKEN));
        }
    }
    assert_eq!(request(server.address(), "GET /healthz", &[]).status, 200);
    for (line, status) in [("GET /", 200), ("GET /api/v1/values", 200), ("POST /api/v1/signals/a", 202)] {
        assert_eq!(request(server.address(), line, &[&bearer(TOKEN)]).status, status, "{line}");
    }
    assert_eq!(Viewer::try_connect(&server, None).err(), Some(401));
}

#[test]
fn a_browser_opens_the_token_once() {
    let panel = fake();
    let server = guarded(&panel);
    let opened = request(server.address(), &format!("GET /?token={TOKEN}"), &[]);
    assert_eq!((opened.status, opened.header("location")), (303, Some("/")));
    let cookie = opened.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = format!("Cookie: {}", cookie.split(';').next().unwrap());
    let page = request(server.address(), "GET /", &[&cookie]);
    assert_eq!(page.status, 200);
    assert!(!page.text().contains(TOKEN), "the token is not in the page");
    for line in ["GET /?token=wrong", "GET /?token=", "GET /api/v1/values?token=0123456789abcdef+/="] {
        assert_eq!(request(server.address(), line, &[]).status, 401, "{line}");
    }
    let metrics = request(server.address(), "GET /metrics", &[&cookie]);
    assert!(!metrics.text().contains(TOKEN), "the token is in no metric");
}

#[test]
fn other_machines_need_a_token_and_a_known_name() {
    let panel = fake();
    let everywhere: std::net::SocketAddr = "0.0.0.0:0".parse().unwrap();
    let mut site = Site::from(everywhere);
    let refused = crate::http::bind(site.clone()).unwrap_err();
    assert!(refused.to_string().contains("token = { env"), "{refused}");
    let _folder = with_token(&mut site);
    site.http.hosts = vec!["panel.local".into()];
    let server = crate::http::serve(site, panel.handle.clone(), crate::http::fixture::metrics()).unwrap();
    let port = server.address().port();
    assert_eq!(server.url(), format!("http://127.0.0.1:{port}/"));
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let bearer = format!("Authorization: Bearer {TOKEN}");
    for (host, status) in
        [("panel.local", 200), ("192.0.2.7:80", 200), ("localhost", 200), ("evil.example", 403)]
    {
        let answer = request(address, "GET /api/v1/values", &[&bearer, &format!("Host: {host}")]);
        assert_eq!(answer.status, status, "{host}");
    }
    assert_eq!(request(address, "GET /api/v1/values", &[]).status, 401);
}

#[test]
fn a_token_that_cannot_be_read_starts_nothing() {
    let check = |secret: Secret, part: &str| {
        let mut site = Site::from(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
        site.http.token = Some(secret);
        let error = crate::http::bind(site).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    check(Secret::Env("TINYDISPLAY_NO_SUCH_TOKEN".into()), "TINYDISPLAY_NO_SUCH_TOKEN, which is not set");
    check(Secret::File("/nowhere/token".into()), "/nowhere/token");
}
