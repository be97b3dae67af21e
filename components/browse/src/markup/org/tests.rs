//! What texts become, but for the anchors of headings.

fn check(cases: &[(&str, &str)]) {
    crate::markup::tests::check(super::html, cases);
}

#[test]
fn headlines_say_what_is_to_be_done() {
    check(&[
        (
            "#+TITLE: Demo\n#+AUTHOR: x\n# note\n* One\n** Two *b*",
            "<h1>Demo</h1>\n<h2>One</h2>\n<h3>Two <strong>b</strong></h3>\n",
        ),
        (
            "#+TODO: WAIT(w) NEXT | OVER\n* WAIT [#A] a b :x:y_z:\nSCHEDULED: <2020-01-01>\n* OVER c\n* TODO d\n**e\n",
            "<h1><span class=\"org-to-do\">WAIT</span> <span class=\"org-priority\">[#A]</span> a b <span class=\"org-tag\">x</span> <span class=\"org-tag\">y_z</span></h1>\n<h1><span class=\"org-done\">OVER</span> c</h1>\n<h1>TODO d</h1>\n<p>**e</p>\n",
        ),
        (
            "* a\n:PROPERTIES:\n:CUSTOM_ID: own\n:END:\n:LOG:\nhidden\n:END:\n** a\n* COMMENT b\nhidden\n** hidden\n* c\n",
            "<h1>a</h1>\n<h2>a</h2>\n<h1>c</h1>\n",
        ),
        (
            "#+TOC: headlines 2\n* a\n** b\n*** c\n* d\n",
            "<ul>\n<li><a href=\"#a\">a</a><ul>\n<li><a href=\"#b\">b</a></li>\n</ul></li>\n<li><a href=\"#d\">d</a></li></ul>\n<h1>a</h1>\n<h2>b</h2>\n<h3>c</h3>\n<h1>d</h1>\n",
        ),
    ]);
}

#[test]
fn marks_are_around_words() {
    check(&[
        (
            "a /b/ =c=\n~d~ a/b/c x_1_2 +e+ _f_",
            "<p>a <em>b</em> <code>c</code>\n<code>d</code> a/b/c x_1_2 <del>e</del> <u>f</u></p>\n",
        ),
        (
            "*a /b =c= d/ e* (*f*) *g*h =*i*= * j *",
            "<p><strong>a <em>b <code>c</code> d</em> e</strong> (<strong>f</strong>) *g*h <code>*i*</code> * j *</p>\n",
        ),
        (
            "H_{2}O x^{/a/} \\rarr{} \\alpha \\nothing a\\\\\nb \\(x^2\\) @@html:<b>@@ src_sh[:x y]{ls} {{{no}}}",
            "<p>H<sub>2</sub>O x<sup><em>a</em></sup> → α \\nothing a<br>\nb <code>x^2</code>  <code>ls</code> {{{no}}}</p>\n",
        ),
        (
            "<2020-01-02 Thu 10:00> [2020-01-02 Thu] [1/2] [50%]",
            "<p><time>&lt;2020-01-02 Thu 10:00&gt;</time> <time>[2020-01-02 Thu]</time> [1/2] [50%]</p>\n",
        ),
        (
            "#+MACRO: hi Hello *$1* and $2\n{{{hi(you, me)}}} {{{author}}}\n#+AUTHOR: Me",
            "<p>Hello <strong>you</strong> and me Me</p>\n",
        ),
    ]);
}

#[test]
fn links_lead_to_what_they_name() {
    check(&[
        (
            "[[file:doc/x.org::*A b][see]] [[a.png]] https://x.example/y. <https://z.example>",
            "<p><a href=\"doc/x.org#a-b\">see</a> <img src=\"a.png\" alt=\"a.png\"> <a href=\"https://x.example/y\">https://x.example/y</a>. <a href=\"https://z.example\">https://z.example</a></p>\n",
        ),
        (
            "[[https://x.example][a *b*]] [[https://x.example][file:i.png]] [[https://x.example/i.png]] [[./d/]] [[mailto:a@b.example][m]]",
            "<p><a href=\"https://x.example\">a <strong>b</strong></a> <a href=\"https://x.example\"><img src=\"i.png\" alt=\"i.png\"></a> <a href=\"https://x.example/i.png\">https://x.example/i.png</a> <a href=\"./d/\">./d/</a> <a href=\"mailto:a@b.example\">m</a></p>\n",
        ),
        (
            "[[*One][a]] [[One]] [[#own][b]] [[#made-up][c]] [[nowhere][d]] [[nowhere]] [[id:7][e]]\n* One\n* Two\n:PROPERTIES:\n:CUSTOM_ID: own\n:END:\n",
            "<p><a href=\"#one\">a</a> <a href=\"#one\">One</a> <a href=\"#own\">b</a> <a href=\"#made-up\">c</a> d <em>nowhere</em> e</p>\n<h1>One</h1>\n<h1>Two</h1>\n",
        ),
        (
            "#+LINK: gh https://gh.example/%s/x\n#+LINK: wp https://wp.example/\n[[gh:a/b][c]] [[wp:d]] <<place>> [[place]] <<<radio>>>\n",
            "<p><a href=\"https://gh.example/a/b/x\">c</a> <a href=\"https://wp.example/d\">wp:d</a> <a id=\"place-place\"></a> <a href=\"#place-place\">place</a> <a id=\"place-radio\"></a>radio</p>\n",
        ),
        (
            "#+NAME: t\n| a |\n[[t]]",
            "<a id=\"t\"></a><table><tbody><tr><td>a</td></tr>\n</tbody></table>\n<p><a href=\"#t\">t</a></p>\n",
        ),
    ]);
}

#[test]
fn footnotes_lead_back() {
    check(&[(
        "a[fn:2] b[fn:: said /here/] c[fn:x:named] d[fn:x] e[fn:none]\n* Footnotes\n[fn:1] unused\n[fn:2] first\n  more\n\n  still\n",
        "<p>a<sup class=\"footnote-ref\"><a href=\"#fn-1\" id=\"fnref-1-1\">1</a></sup> b<sup class=\"footnote-ref\"><a href=\"#fn-2\" id=\"fnref-2-1\">2</a></sup> c<sup class=\"footnote-ref\"><a href=\"#fn-3\" id=\"fnref-3-1\">3</a></sup> d<sup class=\"footnote-ref\"><a href=\"#fn-3\" id=\"fnref-3-2\">3</a></sup> e[fn:none]</p>\n<section class=\"footnotes\"><ol>\n<li id=\"fn-1\"><p>first\nmore</p>\n<p>still</p>\n <a href=\"#fnref-1-1\" class=\"footnote-backref\">↩</a></li>\n<li id=\"fn-2\">said <em>here</em> <a href=\"#fnref-2-1\" class=\"footnote-backref\">↩</a></li>\n<li id=\"fn-3\">named <a href=\"#fnref-3-1\" class=\"footnote-backref\">↩</a> <a href=\"#fnref-3-2\" class=\"footnote-backref\">↩</a></li>\n<li id=\"fn-4\">unused</li>\n</ol></section>\n",
    )]);
}

#[test]
fn lists_nest_and_keep_what_is_typed() {
    check(&[
        ("- a\n- b\n  more\n\n1. c", "<ul>\n<li>a</li>\n<li>b\nmore</li>\n</ul>\n<ol>\n<li>c</li>\n</ol>\n"),
        (
            "- [X] a\n- [ ] b\n  1. c\n  2) d\n- [-] e\n\n  f\n",
            "<ul>\n<li><p><input type=\"checkbox\" checked=\"\" disabled=\"\"> a</p>\n</li>\n<li><p><input type=\"checkbox\" disabled=\"\"> b</p>\n<ol>\n<li>c</li>\n<li>d</li>\n</ol>\n</li>\n<li><p><code>[-]</code> e</p>\n<p>f</p>\n</li>\n</ul>\n",
        ),
        (
            "+ a\n  * b\n    - c\n\n  d\n+ e\n\n\n- f\n",
            "<ul>\n<li><p>a</p>\n<ul>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n<p>d</p>\n</li>\n<li><p>e</p>\n</li>\n</ul>\n<ul>\n<li>f</li>\n</ul>\n",
        ),
        (
            "5. [@5] a\n6. b\n- term :: what\n  more\n- [X] x ::\n",
            "<ol>\n<li value=\"5\">a</li>\n<li>b</li>\n</ol>\n<dl>\n<dt>term</dt>\n<dd>what\nmore</dd>\n<dt><input type=\"checkbox\" checked=\"\" disabled=\"\"> x</dt>\n<dd></dd>\n</dl>\n",
        ),
        (
            "- a\n  #+begin_example\nb\n  #+end_example\n  c\nd",
            "<ul>\n<li><p>a</p>\n<pre><code>b</code></pre>\n<p>c</p>\n</li>\n</ul>\n<p>d</p>\n",
        ),
    ]);
}

#[test]
fn tables_have_heads_and_captions() {
    check(&[
        (
            "| a | b |\n|---+---|\n| 1 | 2 |",
            "<table><thead><tr><th>a</th><th>b</th></tr>\n</thead><tbody><tr><td>1</td><td>2</td></tr>\n</tbody></table>\n",
        ),
        (
            "#+CAPTION: Said\n#+NAME: t\n| / | < | > |\n| a | b | |\n| <l> | <r5> | <c> |\n|-\n| 1 | =2= | 3\n#+TBLFM: $2=1\n",
            "<a id=\"t\"></a><table><caption>Said</caption>\n<thead><tr><th>a</th><th align=\"right\">b</th><th align=\"center\"></th></tr>\n</thead><tbody><tr><td>1</td><td align=\"right\"><code>2</code></td><td align=\"center\">3</td></tr>\n</tbody></table>\n",
        ),
        ("| a |\n|---|\n", "<table><tbody><tr><td>a</td></tr>\n</tbody></table>\n"),
        ("+---+\n| a |\n+---+\n", "<pre><code>+---+\n| a |\n+---+</code></pre>\n"),
    ]);
}

#[test]
fn blocks_are_told_apart() {
    check(&[
        (
            "#+BEGIN_EXAMPLE\n<x>\n,* y\n#+END_EXAMPLE\n: z\n:   w\n-----\n:PROPERTIES:\n:A: 1\n:END:",
            "<pre><code>&lt;x&gt;\n* y</code></pre>\n<pre><code>z\n  w</code></pre>\n<hr>\n",
        ),
        (
            "#+begin_quote\na\n\n- b\n#+end_quote\n#+begin_center\nc\n#+end_center\n#+begin_verse\nd\n  e\n#+end_verse\n",
            "<blockquote><p>a</p>\n<ul>\n<li>b</li>\n</ul>\n</blockquote>\n<div align=\"center\"><p>c</p>\n</div>\n<p>d<br>\n  e</p>\n",
        ),
        (
            "#+begin_export html\n<b>a</b>\n#+end_export\n#+BEGIN_HTML\n<i>\n#+END_HTML\n#+begin_comment\nx\n#+end_comment\n# y\n#+HTML: <b>\n#+RESULTS:\n: 1\n",
            "<pre><code>1</code></pre>\n",
        ),
        (
            "#+begin_tip\na\n#+end_tip\n#+begin_own\nb\n#+end_own\n#+BEGIN: clocktable\nc\n#+END:\n",
            "<div class=\"markdown-alert markdown-alert-tip\">\n<p class=\"markdown-alert-title\">Tip</p>\n<p>a</p>\n</div>\n<p>b</p>\n<p>c</p>\n",
        ),
        (
            "\\begin{x}\na\n\\end{x}\nCLOCK: [2020-01-01]\n#+INCLUDE: \"a/b.org::x\" src\n",
            "<pre><code>\\begin{x}\na\n\\end{x}</code></pre>\n<p><a href=\"a/b.org\">a/b.org</a></p>\n",
        ),
        (
            "#+CAPTION: Said\n#+ATTR_HTML: :alt x :width 200px\n[[./a.png]]\n\n[[./b.png]]\n",
            "<figure><p><img width=\"200\" src=\"./a.png\" alt=\"./a.png\"></p>\n<figcaption>Said</figcaption>\n</figure>\n<p><img src=\"./b.png\" alt=\"./b.png\"></p>\n",
        ),
        ("#+begin_src\nnever ends\n\na\n", "<p>#+begin_src\nnever ends</p>\n<p>a</p>\n"),
    ]);
}

#[test]
fn code_is_coloured() {
    let text = "#+begin_src rust\nfn f() {}\n#+end_src";
    assert!(super::html(text).is_some_and(|html| html.contains("hl-keyword")));
}

#[test]
fn what_would_become_too_much_is_not_rendered() {
    let long = "y".repeat(100_000);
    assert_eq!(super::html(&format!("#+LINK: a http://x/{long}\n{}", "[[a:b]] ".repeat(1_000))), None);
    let doubled = format!("#+MACRO: a {}\n{{{{{{a({})}}}}}}\n", "$1".repeat(50_000), "x".repeat(9_000));
    assert!(
        super::html(&doubled).is_some_and(|html| html.len() < 1 << 20),
        "the macro is shown as it is typed"
    );
}

#[test]
fn a_link_leads_where_it_says() {
    check(&[(
        "#+LINK: https http://elsewhere.example/%s\n[[https://a.example/b]]",
        "<p><a href=\"https://a.example/b\">https://a.example/b</a></p>\n",
    )]);
}
