import { expect, test } from "vitest";

import { sessionOfToken } from "./token";

function tokenWith(claims: unknown): string {
  const text = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(claims))));
  return `e30.${text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")}.sig`;
}

test("a token says who it is for and when it ends", () => {
  const token = tokenWith({ sub: "ada–🎬", exp: 1_700_000_000 });
  expect(sessionOfToken(token)).toEqual({ token, name: "ada–🎬", endsAtMs: 1_700_000_000_000 });
});

test("a token that was copied with its header's name is taken without it", () => {
  expect(sessionOfToken("  Bearer abc.def.ghi\n").token).toBe("abc.def.ghi");
});

test.each(["opaque", "a.b.c", "", tokenWith(null), tokenWith({ sub: 1, exp: "soon" })])(
  "what cannot be read is a token all the same: the server decides",
  (token) => {
    expect(sessionOfToken(token)).toEqual({ token, name: null, endsAtMs: null });
  },
);
