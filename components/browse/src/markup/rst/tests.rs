//! What texts become, but for the anchors of headings.

fn html(text: &str) -> String {
    let mut html = super::html(text);
    while let Some(begin) = html.find("<a href=\"#").filter(|_| html.contains("class=\"anchor\"")) {
        let end = begin + html[begin..].find("</a>").expect("it ends") + "</a>".len();
        html.replace_range(begin..end, "");
    }
    html
}

/// Tries that each text becomes what is beside it.
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(html(text), *expected, "{text}");
    }
}

#[test]
fn titles_have_the_level_at_which_they_are_first_underlined_so() {
    check(&[
        (
            "====\nDemo\n====\n\nOne\n===\n\nTwo\n---\n\nThree\n=====\n",
            "<h1>Demo</h1>\n<h2>One</h2>\n<h3>Two</h3>\n<h2>Three</h2>\n",
        ),
        ("a\n\n----\n\nb", "<p>a</p>\n<hr>\n<p>b</p>\n"),
    ]);
}
