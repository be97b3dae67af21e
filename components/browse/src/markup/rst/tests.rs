//! What texts become, but for the anchors of headings.

fn check(cases: &[(&str, &str)]) {
    crate::markup::tests::check(super::html, cases);
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

#[test]
fn marks_begin_and_end_at_words() {
    check(&[
        (
            "a **b** *c* ``d<`` 2*3*4\nnext",
            "<p>a <strong>b</strong> <em>c</em> <code>d&lt;</code> 2*3*4\nnext</p>\n",
        ),
        (
            "\\*a* *b\\* c* ``\\d`` e\\ *f*\\ g h\\\\",
            "<p>*a* <em>b* c</em> <code>\\d</code> e<em>f</em>g h\\</p>\n",
        ),
        ("(*) '*' \"**\" *a *b", "<p>(*) '*' &quot;**&quot; *a *b</p>\n"),
        (
            "`cite` _`place` place_ :sub:`2` x\\ :sup:`3` `y`:sup: :math:`a_b` :kbd:`Ctrl` :class:`~a.b.C` :new:`x`",
            "<p><cite>cite</cite> <span id=\"place\">place</span> <a href=\"#place\">place</a> <sub>2</sub> x<sup>3</sup> <sup>y</sup> <code>a_b</code> <kbd>Ctrl</kbd> <code>C</code> <code>x</code></p>\n",
        ),
        (
            ":pep:`8` :rfc:`2119` :raw-x:`<b>` :own:`z`\n\n.. role:: raw-x(raw)\n   :format: html\n.. role:: own(emphasis)\n",
            "<p><a href=\"https://peps.python.org/pep-0008\">PEP 8</a> <a href=\"https://datatracker.ietf.org/doc/html/rfc2119\">RFC 2119</a>  <em>z</em></p>\n",
        ),
    ]);
}

#[test]
fn links_lead_to_what_they_name() {
    check(&[
        (
            "`Site <https://x.example>`_ `doc`_ doc_ Site_ nowhere_ https://y.example. <a.b@c.example>\n\n.. _doc: doc/a.rst\n.. a comment\n   more\n",
            "<p><a href=\"https://x.example\">Site</a> <a href=\"doc/a.rst\">doc</a> <a href=\"doc/a.rst\">doc</a> <a href=\"https://x.example\">Site</a> nowhere_ <a href=\"https://y.example\">https://y.example</a>. &lt;<a href=\"mailto:a.b@c.example\">a.b@c.example</a>&gt;</p>\n",
        ),
        (
            "one__ `two words`__\n\n__ https://one.example\n.. __: https://two.example/\n   long\n",
            "<p><a href=\"https://one.example\">one</a> <a href=\"https://two.example/long\">two words</a></p>\n",
        ),
        (
            "top_ `One two`_ there_ `that <there_>`_\n\n.. _top:\n.. _there: doc_\n.. _doc: a.rst\n\nOne *two*\n=========\n\n.. _top:\n\nText",
            "<p><a href=\"#top-1\">top</a> <a href=\"#one-two\">One two</a> <a href=\"a.rst\">there</a> <a href=\"a.rst\">that</a></p>\n<a id=\"top\"></a><h1>One <em>two</em></h1>\n<a id=\"top-1\"></a><p>Text</p>\n",
        ),
        (
            "|a| |logo| |A b|_ |c| |copy|\n\n.. |a| replace:: **text** |a|\n.. |logo| image:: l.png\n   :width: 20px\n.. |A b| replace:: b\n.. _a b: b.rst\n",
            "<p><strong>text</strong> <strong>text</strong> <strong>text</strong> <strong>text</strong> |a| <img src=\"l.png\" alt=\"logo\" width=\"20\"> <a href=\"b.rst\">b</a> |c| ©</p>\n",
        ),
        (
            ":doc:`guide` :doc:`Guide <sub/guide>` :ref:`Text <place>` :ref:`place`\n\n.. _place:\n\nThe title\n=========\n",
            "<p><a href=\"guide.rst\">guide</a> <a href=\"sub/guide.rst\">Guide</a> <a href=\"#place\">Text</a> <a href=\"#place\">The title</a></p>\n<a id=\"place\"></a><h1>The title</h1>\n",
        ),
    ]);
}

#[test]
fn footnotes_are_numbered_and_lead_back() {
    check(&[(
        "a [1]_ [#]_ [#n]_ [*]_ [Cit]_ [#n]_ n_\n\n.. [1] one\n.. [#] two\n.. [#n] three\n\n   more\n.. [*] four\n.. [Cit] five\n",
        "<p>a <sup class=\"footnote-ref\"><a href=\"#footnote-1\" id=\"footnote-1-ref-1\">1</a></sup> <sup class=\"footnote-ref\"><a href=\"#footnote\" id=\"footnote-ref-1\">2</a></sup> <sup class=\"footnote-ref\"><a href=\"#footnote-n\" id=\"footnote-n-ref-1\">3</a></sup> <sup class=\"footnote-ref\"><a href=\"#footnote-2\" id=\"footnote-2-ref-1\">*</a></sup> <a href=\"#footnote-cit\" id=\"footnote-cit-ref-1\">[Cit]</a> <sup class=\"footnote-ref\"><a href=\"#footnote-n\" id=\"footnote-n-ref-2\">3</a></sup> <a href=\"#footnote-n\">n</a></p>\n<section class=\"footnotes\"><dl class=\"fields\">\n<dt id=\"footnote-1\">[1] <a href=\"#footnote-1-ref-1\" class=\"footnote-backref\">↩</a></dt>\n<dd>one</dd>\n<dt id=\"footnote\">[2] <a href=\"#footnote-ref-1\" class=\"footnote-backref\">↩</a></dt>\n<dd>two</dd>\n<dt id=\"footnote-n\">[3] <a href=\"#footnote-n-ref-1\" class=\"footnote-backref\">↩</a> <a href=\"#footnote-n-ref-2\" class=\"footnote-backref\">↩</a></dt>\n<dd><p>three</p>\n<p>more</p>\n</dd>\n<dt id=\"footnote-2\">[*] <a href=\"#footnote-2-ref-1\" class=\"footnote-backref\">↩</a></dt>\n<dd>four</dd>\n<dt id=\"footnote-cit\">[Cit] <a href=\"#footnote-cit-ref-1\" class=\"footnote-backref\">↩</a></dt>\n<dd>five</dd>\n</dl></section>\n",
    )]);
}

#[test]
fn lists_nest_and_are_numbered_as_typed() {
    check(&[
        (
            "- a\n  more\n- b\n\n  - c\n\n* d\n\n  e\n",
            "<ul>\n<li>a\nmore</li>\n<li>b\n<ul>\n<li>c</li>\n</ul>\n</li>\n</ul>\n<ul>\n<li><p>d</p>\n<p>e</p>\n</li>\n</ul>\n",
        ),
        (
            "3. a\n#. b\n\n(a) c\n(b) d\n\nII. e\nIII. f\n\nA) g\n\n1. h\n3. i\n",
            "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>\n<ol type=\"a\">\n<li>c</li>\n<li>d</li>\n</ol>\n<ol type=\"I\" start=\"2\">\n<li>e</li>\n<li>f</li>\n</ol>\n<ol type=\"A\">\n<li>g</li>\n</ol>\n<p>1. h\n3. i</p>\n",
        ),
        ("h) a\ni) b\nj) c\n", "<ol type=\"a\" start=\"8\">\n<li>a</li>\n<li>b</li>\n<li>c</li>\n</ol>\n"),
        (
            "1985 was a year.\n\nA. Person\nwrote it.\n",
            "<p>1985 was a year.</p>\n<p>A. Person\nwrote it.</p>\n",
        ),
        (
            "term : kind\n  What *it* is.\n\nother\n  a\n\n  b\n",
            "<dl>\n<dt>term <em>kind</em></dt>\n<dd>What <em>it</em> is.</dd>\n<dt>other</dt>\n<dd><p>a</p>\n<p>b</p>\n</dd>\n</dl>\n",
        ),
        (
            ":Author: Me\n:other: a\n  b\n\n-a, --all  All\n-o FILE    Out\n--long=<x>\n           Long\n/V         Dos\n",
            "<dl class=\"fields\">\n<dt>Author</dt>\n<dd>Me</dd>\n<dt>other</dt>\n<dd>a\nb</dd>\n</dl>\n<dl class=\"fields\">\n<dt><code>-a, --all</code></dt>\n<dd>All</dd>\n<dt><code>-o FILE</code></dt>\n<dd>Out</dd>\n<dt><code>--long=&lt;x&gt;</code></dt>\n<dd>Long</dd>\n<dt><code>/V</code></dt>\n<dd>Dos</dd>\n</dl>\n",
        ),
        ("| a\n|   b\n|\n| c\n  d\n", "<p>a<br>\n  b<br>\n  <br>\nc\nd</p>\n"),
    ]);
}

#[test]
fn blocks_are_told_apart() {
    check(&[
        (
            "Run::\n\n    make\n      x\n\nAlone ::\n\n> quoted\n> more\n\nend",
            "<p>Run:</p>\n<pre><code>make\n  x</code></pre>\n<p>Alone</p>\n<pre><code>&gt; quoted\n&gt; more</code></pre>\n<p>end</p>\n",
        ),
        (
            "  quoted\n\n  -- Me\n\n    deeper\n",
            "<blockquote><p>quoted</p>\n<p>— Me</p>\n</blockquote>\n<blockquote><p>deeper</p>\n</blockquote>\n",
        ),
        (
            ">>> 1 + 1\n2\n\nb",
            "<pre><code><span class=\"hl-operator\">&gt;&gt;&gt;</span> <span class=\"hl-number\">1</span> <span class=\"hl-operator\">+</span> <span class=\"hl-number\">1</span>\n<span class=\"hl-number\">2</span>\n</code></pre>\n<p>b</p>\n",
        ),
        (
            ".. parsed-literal::\n\n   a *b*\n     c\n\n.. math::\n\n   a < b\n",
            "<pre><code>a <em>b</em>\n  c</code></pre>\n<pre><code>a &lt; b</code></pre>\n",
        ),
        ("..\n\n  quoted\n\n.. hidden\n   this\n\n   too\n", "<blockquote><p>quoted</p>\n</blockquote>\n"),
    ]);
}

#[test]
fn remarks_and_boxes_have_titles() {
    check(&[
        (
            ".. note:: Mind\n   this.\n\n.. DANGER::\n   *Stop*\n\n.. admonition:: Own *title*\n\n   a\n",
            "<div class=\"markdown-alert markdown-alert-note\">\n<p class=\"markdown-alert-title\">Note</p>\n<p>Mind\nthis.</p>\n</div>\n<div class=\"markdown-alert markdown-alert-caution\">\n<p class=\"markdown-alert-title\">Danger</p>\n<p><em>Stop</em></p>\n</div>\n<div class=\"markdown-alert markdown-alert-note\">\n<p class=\"markdown-alert-title\">Own <em>title</em></p>\n<p>a</p>\n</div>\n",
        ),
        (
            ".. versionadded:: 1.2 More.\n\n.. topic:: T\n\n   a\n\n.. rubric:: R\n\n.. sidebar:: S\n   :subtitle: U\n\n   b\n\n.. epigraph::\n\n   c\n\n   -- d\n",
            "<div class=\"markdown-alert markdown-alert-note\">\n<p class=\"markdown-alert-title\">Added in version 1.2</p>\n<p>More.</p>\n</div>\n<div class=\"markdown-alert markdown-alert-note\">\n<p class=\"markdown-alert-title\">T</p>\n<p>a</p>\n</div>\n<p><strong>R</strong></p>\n<div class=\"markdown-alert markdown-alert-note\">\n<p class=\"markdown-alert-title\">S</p>\n<p><strong>U</strong></p>\n<p>b</p>\n</div>\n<blockquote><p>c</p>\n<p>— d</p>\n</blockquote>\n",
        ),
    ]);
}

#[test]
fn images_and_figures_have_their_options() {
    check(&[
        (
            ".. image:: a.png\n   :alt: A\n   :target: b\n   :width: 50 %\n   :align: center\n\n.. image:: c.png\n   :height: 2em\n   :align: right\n   :target: d_\n\n.. _d: d.rst\n",
            "<p align=\"center\"><a href=\"b\"><img src=\"a.png\" alt=\"A\" width=\"50%\"></a></p>\n<p><a href=\"d.rst\"><img src=\"c.png\" alt=\"c.png\" height=\"32\" align=\"right\"></a></p>\n",
        ),
        (
            ".. figure:: a.png\n   :width: 100\n\n   Caption\n\n   Legend\n",
            "<figure><img src=\"a.png\" alt=\"a.png\" width=\"100\"><figcaption><p>Caption</p>\n<p>Legend</p>\n</figcaption></figure>\n",
        ),
    ]);
}

#[test]
fn directives_of_no_use_here_are_left_out_or_shown() {
    check(&[
        (
            ".. raw:: html\n\n   <b>x</b>\n\n.. include:: a/b.rst\n\n.. meta::\n   :a: b\n\n.. unknown:: x\n   :a: b\n\n   c\n",
            "<ul>\n<li><a href=\"a/b.rst\">a/b.rst</a></li>\n</ul>\n<pre><code>.. unknown:: x\n   :a: b\n\n   c</code></pre>\n",
        ),
        (
            ".. toctree::\n   :maxdepth: 2\n   :caption: More\n\n   a\n   Title <b/c>\n   https://x.example/\n   glob*\n   self\n",
            "<p><strong>More</strong></p>\n<ul>\n<li><a href=\"a.rst\">a</a></li>\n<li><a href=\"b/c.rst\">Title</a></li>\n<li><a href=\"https://x.example/\">https://x.example/</a></li>\n<li>glob*</li>\n</ul>\n",
        ),
        (
            ".. py:function:: f(a)\n   g(b)\n\n   Does it.\n",
            "<dl><dt><code>f(a)</code></dt>\n<dt><code>g(b)</code></dt>\n<dd><p>Does it.</p>\n</dd></dl>\n",
        ),
        (
            ".. class:: wide\n\n   a\n\n.. container:: x\n\n   b\n\n.. contents:: :local:\n",
            "<p>a</p>\n<p>b</p>\n<a id=\"contents\"></a>",
        ),
    ]);
}

#[test]
fn titles_are_listed_and_numbered() {
    check(&[(
        "D\n=\n\n.. contents:: Here\n   :depth: 2\n.. sectnum::\n\nOne\n---\n\nTwo\n~~~\n\nThree\n^^^^^\n\nFour\n----\n\n.. contents::\n   :local:\n\nFive\n~~~~\n",
        "<h1>D</h1>\n<a id=\"here\"></a><p><strong>Here</strong></p>\n<ul>\n<li><a href=\"#one\">1 One</a><ul>\n<li><a href=\"#two\">1.1 Two</a></li>\n</ul></li>\n<li><a href=\"#four\">2 Four</a><ul>\n<li><a href=\"#five\">2.1 Five</a></li></ul>\n</li></ul>\n<h2>1 One</h2>\n<h3>1.1 Two</h3>\n<h4>1.1.1 Three</h4>\n<h2>2 Four</h2>\n<a id=\"contents\"></a><ul>\n<li><a href=\"#five\">2.1 Five</a></li></ul>\n<h3>2.1 Five</h3>\n",
    )]);
}

#[test]
fn what_titles_refer_to_is_referred_to_once() {
    check(&[(
        ".. contents::\n\nA one__ [#]_\n===========\n\nb two__ [#]_\n\n__ https://one.example\n__ https://two.example\n\n.. [#] c\n.. [#] d\n",
        "<a id=\"contents\"></a><p><strong>Contents</strong></p>\n<ul>\n<li><a href=\"#a-one\">A one </a></li></ul>\n<h1>A <a href=\"https://one.example\">one</a> <sup class=\"footnote-ref\"><a href=\"#footnote\" id=\"footnote-ref-1\">1</a></sup></h1>\n<p>b <a href=\"https://two.example\">two</a> <sup class=\"footnote-ref\"><a href=\"#footnote-1\" id=\"footnote-1-ref-1\">2</a></sup></p>\n<section class=\"footnotes\"><dl class=\"fields\">\n<dt id=\"footnote\">[1] <a href=\"#footnote-ref-1\" class=\"footnote-backref\">↩</a></dt>\n<dd>c</dd>\n<dt id=\"footnote-1\">[2] <a href=\"#footnote-1-ref-1\" class=\"footnote-backref\">↩</a></dt>\n<dd>d</dd>\n</dl></section>\n",
    )]);
}

#[test]
fn tables_are_read_by_their_lines() {
    check(&[
        (
            "+---+-----+\n| a | b   |\n+===+==+==+\n| c |d | e|\n|   +--+--+\n| - |  f  |\n+---+-----+\n",
            "<table><thead><tr><th>a</th>\n<th colspan=\"2\">b</th>\n</tr>\n</thead><tbody><tr><td rowspan=\"2\">c\n<ul>\n<li></li>\n</ul>\n</td>\n<td>d</td>\n<td>e</td>\n</tr>\n<tr><td colspan=\"2\">f</td>\n</tr>\n</tbody></table>\n",
        ),
        ("+---+\n| a |\n+--+\n", "<pre><code>+---+\n| a |\n+--+</code></pre>\n"),
        (
            "===== ===\na     b\n===== ===\n1     2\n      more\n\\     3 and on\nboth\n---------\n===== ===\n\nend",
            "<table><thead><tr><th>a</th>\n<th>b</th>\n</tr>\n</thead><tbody><tr><td>1</td>\n<td>2\nmore</td>\n</tr>\n<tr><td></td>\n<td>3 and on</td>\n</tr>\n<tr><td colspan=\"2\">both</td>\n</tr>\n</tbody></table>\n<p>end</p>\n",
        ),
        ("=== ===\na   b\n=== ===\n", "<table><tbody><tr><td>a</td>\n<td>b</td>\n</tr>\n</tbody></table>\n"),
        ("=== ===\nnever ends\n\nend", "<pre><code>=== ===\nnever ends</code></pre>\n<p>end</p>\n"),
    ]);
}

#[test]
fn tables_are_read_from_values_and_lists() {
    check(&[
        (
            ".. csv-table:: Title\n   :header: a, \"b\"\n   :stub-columns: 1\n\n   1, \"x, *y*\"\n\n.. csv-table::\n   :file: x.csv\n",
            "<table><caption>Title</caption>\n<thead><tr><th>a</th>\n<th>b</th>\n</tr>\n</thead><tbody><tr><th>1</th>\n<td>x, <em>y</em></td>\n</tr>\n</tbody></table>\n<ul>\n<li><a href=\"x.csv\">x.csv</a></li>\n</ul>\n",
        ),
        (
            ".. list-table:: T\n   :header-rows: 1\n\n   * - a\n     - b\n   * - c\n     - - d\n\n.. list-table::\n\n   none\n",
            "<table><caption>T</caption>\n<thead><tr><th>a</th>\n<th>b</th>\n</tr>\n</thead><tbody><tr><td>c</td>\n<td><ul>\n<li>d</li>\n</ul>\n</td>\n</tr>\n</tbody></table>\n<pre><code>.. list-table::\n\n   none</code></pre>\n",
        ),
        (
            ".. table:: T\n\n   = =\n   a b\n   = =\n",
            "<table><caption>T</caption>\n<tbody><tr><td>a</td>\n<td>b</td>\n</tr>\n</tbody></table>\n",
        ),
    ]);
}

#[test]
fn code_is_coloured() {
    for text in [".. code-block:: rust\n\n   fn f() {}\n", ".. highlight:: rust\n\n::\n\n   fn f() {}\n"] {
        assert!(super::html(text).is_some_and(|html| html.contains("hl-keyword")), "{text}");
    }
}

#[test]
fn names_are_read_in_texts_alone() {
    check(&[
        (
            "`a b`_ and `Foo`_.\n\n.. _`a b`: https://a.example\n.. _`Foo`:\n   https://foo.example/\n",
            "<p><a href=\"https://a.example\">a b</a> and <a href=\"https://foo.example/\">Foo</a>.</p>\n",
        ),
        (
            "Docs\n====\n\ndocs_\n\n::\n\n  `docs <https://elsewhere.example>`_ _`docs`\n",
            "<h1>Docs</h1>\n<p><a href=\"#docs\">docs</a></p>\n<pre><code>`docs &lt;https://elsewhere.example&gt;`_ _`docs`</code></pre>\n",
        ),
        (
            "* _`here`\n\nhere_\n",
            "<ul>\n<li><span id=\"here\">here</span></li>\n</ul>\n<p><a href=\"#here\">here</a></p>\n",
        ),
    ]);
}

#[test]
fn nothing_breaks_out_of_an_attribute() {
    check(&[(
        "`b <http://x/\u{202e}txt>`_ \u{202e}",
        "<p><a href=\"http://x/\\u{202e}txt\">b</a> \\u{202e}</p>\n",
    )]);
}

#[test]
fn what_would_become_too_much_is_not_rendered() {
    let address = "y".repeat(100_000);
    assert_eq!(super::html(&format!(".. _a: http://x/{address}\n\n{}", "a_ ".repeat(1_000))), None);
    assert!(super::html(&format!(".. _a: http://x/{address}\n\n{}", "a_ ".repeat(10))).is_some());
}

#[test]
fn a_carriage_return_ends_a_line() {
    check(&[("a\r=\r\rb\r", "<h1>a</h1>\n<p>b</p>\n"), ("a\r\n=\r\n\r\nb\r\n", "<h1>a</h1>\n<p>b</p>\n")]);
}
