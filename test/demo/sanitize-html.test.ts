import { describe, expect, test } from "vitest";
import { sanitizeHtml } from "../../src/demo/sanitize-html.ts";

const LINK = 'target="_blank" rel="noopener noreferrer nofollow ugc"';

describe("sanitizeHtml", () => {
  test.each([
    ["<p>a <strong>b</strong> <em>c</em></p>", "<p>a <strong>b</strong> <em>c</em></p>"],
    ["<p>1 &lt; 2 &amp; &quot;3&quot;</p>", "<p>1 &lt; 2 &amp; &quot;3&quot;</p>"],
    ['<ol start="3"><li>c</li></ol>', '<ol start="3"><li>c</li></ol>'],
    ['<a href="https://a.example/?b=1&amp;c=2">x</a>', `<a href="https://a.example/?b=1&amp;c=2" ${LINK}>x</a>`],
    ["a<br>b<hr>", "a<br>b<hr>"],
  ])("keeps %s", (html, clean) => {
    expect(sanitizeHtml(html)).toBe(clean);
  });

  test.each([
    ["<script>alert(1)</script>", ""],
    ["<SCRIPT SRC=//x.example></SCRIPT>", ""],
    ["<scr<script>ipt>alert(1)</script>", "ipt&gt;alert(1)"],
    ["<img src=x onerror=alert(1)>", ""],
    ['<p onclick="alert(1)">x</p>', "<p>x</p>"],
    ['<p style="position:fixed">x</p>', "<p>x</p>"],
    ['<p id="chat" class="banner" name="cookie">x</p>', "<p>x</p>"],
    ["<style>*{display:none}</style>x", "x"],
    ["<svg><script>alert(1)</script></svg>x", "x"],
    ["<svg><textarea><img src=x onerror=alert(1)></textarea></svg>x", "x"],
    ["<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", ""],
    ["<iframe srcdoc='<script>alert(1)</script>'></iframe>x", "x"],
    ["<form action=//x.example><button>go</button></form>", "go"],
    ["<input autofocus onfocus=alert(1)>", ""],
    ["<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>", ""],
    ["<textarea></textarea/><img src=x onerror=alert(1)>", ""],
    ["<xmp><img src=x onerror=alert(1)></xmp>x", "x"],
    ["<!--<img src=x onerror=alert(1)>-->x", "x"],
    ["<!--><img src=x onerror=alert(1)>-->", "--&gt;"],
    ["<![CDATA[<img src=x onerror=alert(1)>]]>", ""],
    ["<template><script>alert(1)</script></template>x", "x"],
    ["<base href=//x.example><meta http-equiv=refresh content='0;url=//x.example'>x", "x"],
    ["<object data=//x.example></object><embed src=//x.example>x", "x"],
  ])("takes what is dangerous out of %s", (html, clean) => {
    expect(sanitizeHtml(html)).toBe(clean);
  });

  test.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "\u0001javascript:alert(1)",
    "&#106;avascript&colon;alert(1)",
    "&#0000106avascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "blob:https://a.example/1",
    "file:///etc/passwd",
    "//x.example",
    "/room",
    "#door",
    "https://",
    "",
  ])("links nowhere with %j", (href) => {
    expect(sanitizeHtml(`<a href="${href}">x</a>`)).toBe("<a>x</a>");
  });

  test("cannot be left through a quote in an address", () => {
    const html = sanitizeHtml(`<a href='https://a.example/"onmouseover="alert(1)'>x</a>`);

    expect(html).toBe(`<a href="https://a.example/%22onmouseover=%22alert(1)" ${LINK}>x</a>`);
  });

  test.each(["<p><strong>open", "</p></strong>x", "<strong><em>crossed</strong></em>", "<ul><li><ul><li>x"])(
    "writes well-formed HTML for %s",
    (html) => {
      const tags = sanitizeHtml(html).match(/<[^>]+>/g) ?? [];
      const open: string[] = [];
      for (const tag of tags) {
        if (tag.startsWith("</")) expect(open.pop()).toBe(tag.replace("/", ""));
        else open.push(tag);
      }

      expect(open).toEqual([]);
    },
  );

  test("is at rest with what it has written", () => {
    const html = `<p>a &amp;lt; <a href="https://a.example/?a=1&amp;amp;b">b</a></p><pre><code>&lt;b&gt;</code></pre>`;

    const once = sanitizeHtml(html);

    expect(sanitizeHtml(once)).toBe(once);
  });
});
