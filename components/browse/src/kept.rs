//! Pages that were written a moment ago, for whoever asks for the very same again.
//!
//! A page is a function of what the store says of the place and of who asks, of the request's address and form, of the
//! repository on disk, and of the time. So it is kept with all of those, beside the repository as it was opened: that
//! is another one as soon as anything in it has changed ([`lithe_git::stamp`]), and then no page of the former is
//! found. The store is asked for each request as ever, before anything is looked for here, and the whole of its
//! answer is compared; whoever may not read a repository never comes this far.
//!
//! What a page says may still follow from more than that, from keys of people or from what is found out bit by bit.
//! Such a page is not kept.

use crate::limits::{PAGE_KEPT_SECONDS, PAGES_KEPT_BYTES_MAX};
use lithe_code::storage::Opened as OnDisk;
use lithe_forge::access::Opened;
use lithe_web::Frame;
use lithe_web::Written;
use lru::LruCache;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use xxhash_rust::xxh3::xxh3_64;

/// What a page is asked for by, and all that it follows from but the repository and the time.
#[derive(Debug, PartialEq)]
pub struct Question<'a> {
    /// What the store says of who asks, of the site and of the repository.
    pub opened: &'a Opened,
    /// What stands around the page; the request's address and the form of the answer among it.
    pub frame: &'a Frame,
    /// The site's address as the client asked for it.
    pub site: &'a str,
}

/// A page that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub written: Written,
    /// What it costs, in points.
    pub cost: u32,
}

/// Pages, of which those go first that were asked for longest ago.
pub struct Pages {
    pages: LruCache<u64, Kept>,
    bytes: usize,
}

struct Kept {
    opened: Opened,
    frame: Frame,
    site: String,
    /// The repository as it was open when the page was written.
    repository: Weak<OnDisk>,
    /// The present of the page, in seconds since the epoch.
    written: i64,
    page: Page,
}

thread_local! {
    static PAGES: RefCell<Pages> = RefCell::new(Pages::new());
}

/// The page that answers the question about the repository, if it was written a moment ago.
pub fn find(question: &Question<'_>, repository: &Rc<OnDisk>, now: i64) -> Option<Page> {
    PAGES.with_borrow_mut(|pages| pages.find(question, repository, now))
}

/// Keeps the page that answers the question about the repository.
pub fn keep(question: &Question<'_>, repository: &Rc<OnDisk>, now: i64, page: Page) {
    PAGES.with_borrow_mut(|pages| pages.keep(question, repository, now, page));
}

impl Question<'_> {
    /// Where the page is looked for. Whoever finds another's there passes it over.
    fn key(&self) -> u64 {
        let viewer = &self.opened.overview.viewer;
        let user = viewer.user.as_ref().map_or(0, |user| user.id);
        xxh3_64(self.frame.address.as_bytes()) ^ user.rotate_left(32) ^ xxh3_64(viewer.csrf_token.as_bytes())
    }
}

impl Kept {
    fn question(&self) -> Question<'_> {
        let Self { opened, frame, site, .. } = self;
        Question { opened, frame, site }
    }

    /// Whether it is still what would be written now.
    fn is_fresh(&self, repository: &Rc<OnDisk>, now: i64) -> bool {
        // What a weak reference points to is not given to another as long as that is there.
        Weak::as_ptr(&self.repository) == Rc::as_ptr(repository)
            && (self.written..=self.written + PAGE_KEPT_SECONDS).contains(&now)
    }

    /// About what it takes to keep it, in bytes.
    fn bytes(&self) -> usize {
        self.page.written.text.len() + self.frame.address.len() + 2 * size_of::<Self>()
    }
}

impl Pages {
    fn new() -> Self {
        Self { pages: LruCache::unbounded(), bytes: 0 }
    }

    fn find(&mut self, question: &Question<'_>, repository: &Rc<OnDisk>, now: i64) -> Option<Page> {
        let key = question.key();
        let kept = self.pages.get(&key)?;
        if kept.is_fresh(repository, now) {
            return (kept.question() == *question).then(|| kept.page.clone());
        }
        self.remove(key);
        None
    }

    fn keep(&mut self, question: &Question<'_>, repository: &Rc<OnDisk>, now: i64, page: Page) {
        let key = question.key();
        self.remove(key);
        let kept = Kept {
            opened: question.opened.clone(),
            frame: question.frame.clone(),
            site: question.site.to_owned(),
            repository: Rc::downgrade(repository),
            written: now,
            page,
        };
        // A large one would leave no room for any other.
        if kept.bytes() > PAGES_KEPT_BYTES_MAX / 4 {
            return;
        }
        self.bytes += kept.bytes();
        self.pages.put(key, kept);
        while self.bytes > PAGES_KEPT_BYTES_MAX
            && let Some((_, last)) = self.pages.pop_lru()
        {
            self.bytes -= last.bytes();
        }
    }

    fn remove(&mut self, key: u64) {
        if let Some(kept) = self.pages.pop(&key) {
            self.bytes -= kept.bytes();
        }
    }
}
