//! A browser without pictures or scripts: keeps cookies, reads pages, fills in forms.

use super::{Answer, Forge};
use scraper::{Html, Selector};
use std::cell::RefCell;
use std::collections::BTreeMap;

pub struct Browser {
    url: String,
    /// What it believes that the site's address begins with.
    scheme: &'static str,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl Browser {
    pub fn new(forge: &Forge) -> Self {
        Self { url: forge.url.clone(), scheme: "http", cookies: RefCell::default() }
    }

    /// A browser that speaks https with a proxy in front of the server.
    pub fn over_https(forge: &Forge) -> Self {
        Self { scheme: "https", ..Self::new(forge) }
    }

    /// A browser in which the login was entered already.
    #[track_caller]
    pub fn signed_in(forge: &Forge, name: &str, password: &str) -> Self {
        let browser = Self::new(forge);
        let answer = browser.submit("/-/login", "", &[("login", name), ("password", password)]);
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    /// Fetches a page; redirects are not followed.
    pub fn get(&self, path: &str) -> Answer {
        let answer = Answer::send("GET", &self.url, path, &self.headers(), None);
        self.keep_cookies(&answer);
        answer
    }

    /// Opens a page, fills in its form that posts to an address with `action` in it (the first, if
    /// that is empty) and sends it with everything that the form has itself, as a browser does.
    #[track_caller]
    pub fn submit(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        self.submit_with_files(page, action, fields, &[])
    }

    /// As [`Self::submit`], with files chosen: the name of the field, that of the file, and its bytes.
    #[track_caller]
    pub fn submit_with_files(
        &self,
        page: &str,
        action: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        let answer = self.get(page);
        self.submit_shown(&answer, page, action, fields, files)
    }

    /// As [`Self::submit_with_files`], of the form on a page that was shown before.
    #[track_caller]
    pub fn submit_shown(
        &self,
        shown: &Answer,
        page: &str,
        action: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        let text = shown.text();
        let mut form =
            form(&text, action).unwrap_or_else(|| panic!("no form for {action:?} on {page}:\n{text}"));
        for (name, value) in fields {
            form.fields.retain(|(this, _)| this != name);
            form.fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let target = if form.target.is_empty() { page.to_owned() } else { form.target };
        match form.is_multipart {
            true => self.post_multipart(&target, &form.fields, files),
            false => self.post(&target, &form.fields),
        }
    }

    /// Posts a form that may bring files.
    pub fn post_multipart(
        &self,
        path: &str,
        fields: &[(String, String)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        const BOUNDARY: &str = "----boundary-of-the-form";
        let mut body = Vec::new();
        for (name, value) in fields {
            // A browser sends every line end as two characters (HTML, "multipart/form-data").
            let value = value.replace("\r\n", "\n").replace('\n', "\r\n");
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend([head.as_bytes(), value.as_bytes(), b"\r\n"].concat());
        }
        for (field, name, bytes) in files {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
        }
        body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
        let mut headers = self.headers();
        headers.push(("origin".to_owned(), self.url.clone()));
        headers.push(("sec-fetch-site".to_owned(), "same-origin".to_owned()));
        headers.push(("content-type".to_owned(), format!("multipart/form-data; boundary={BOUNDARY}")));
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Answer::send_body("POST", &self.url, path.trim_start_matches('/'), &headers, body)
    }

    /// Posts a form that came from nowhere.
    pub fn post(&self, path: &str, form: &[(String, String)]) -> Answer {
        let mut headers = self.headers();
        headers.push(("origin".to_owned(), self.url.replacen("http", self.scheme, 1)));
        headers.push(("sec-fetch-site".to_owned(), "same-origin".to_owned()));
        let answer = Answer::send("POST", &self.url, path, &headers, Some(form));
        self.keep_cookies(&answer);
        answer
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    fn headers(&self) -> Vec<(String, String)> {
        let cookies = self.cookies.borrow();
        let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = vec![("accept".to_owned(), "text/html".to_owned())];
        if self.scheme == "https" {
            headers.push(("x-forwarded-proto".to_owned(), "https".to_owned()));
        }
        if !cookies.is_empty() {
            headers.push(("cookie".to_owned(), cookies.join("; ")));
        }
        headers
    }

    fn keep_cookies(&self, answer: &Answer) {
        for (_, value) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let Some((name, rest)) = value.split_once('=') else { continue };
            let value = rest.split(';').next().expect("split yields something").to_owned();
            let is_gone = rest.to_ascii_lowercase().contains("max-age=0");
            match is_gone {
                true => self.cookies.borrow_mut().remove(name),
                false => self.cookies.borrow_mut().insert(name.to_owned(), value),
            };
        }
    }
}

/// A form on a page.
struct Form {
    target: String,
    fields: Vec<(String, String)>,
    is_multipart: bool,
}

/// The form on a page that posts to an address with `action` in it.
fn form(page: &str, action: &str) -> Option<Form> {
    let select = |selector| Selector::parse(selector).expect("a selector");
    let document = Html::parse_document(page);
    let form = document.select(&select("form")).find(|form| {
        form.attr("method").is_some_and(|method| method.eq_ignore_ascii_case("post"))
            && form.attr("action").unwrap_or_default().contains(action)
            && (!action.is_empty() || !form.attr("action").unwrap_or_default().contains("/-/logout"))
    })?;
    let mut fields = Vec::new();
    for input in form.select(&select("input[name], select[name], textarea[name], button[name]")) {
        let name = input.attr("name").expect("it was selected by it").to_owned();
        let value = match input.value().name() {
            "textarea" => Some(input.text().collect()),
            "select" => input
                .select(&select("option[selected]"))
                .next()
                .or_else(|| input.select(&select("option")).next())
                .and_then(|option| option.attr("value").map(str::to_owned)),
            "button" => None,
            _ => {
                let is_box = matches!(input.attr("type"), Some("checkbox" | "radio"));
                (!is_box || input.attr("checked").is_some())
                    .then(|| input.attr("value").unwrap_or(if is_box { "on" } else { "" }).to_owned())
            }
        };
        fields.extend(value.map(|value| (name, value)));
    }
    Some(Form {
        target: form.attr("action").unwrap_or_default().to_owned(),
        fields,
        is_multipart: form.attr("enctype") == Some("multipart/form-data"),
    })
}
