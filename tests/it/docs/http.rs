//! The routes and limits of HTTP are those of the code.

use tinydisplay::http::{limits, routes};

use super::Page;

#[test]
fn routes_are_those_that_are_answered() {
    Page::read("docs/http.md").check_region("routes", &routes::table());
}

#[test]
fn limits_are_those_that_are_kept() {
    Page::read("docs/http.md").check_region("limits", &limits::table());
}
