import { expect, it } from 'vitest';
import { circlesIn, importsOf } from '../../scripts/check/crate-circles.mjs';

const crate = (files: Record<string, string>) =>
  circlesIn(importsOf(new Map(Object.entries(files))));

it('files that import downwards only are in no circle', () => {
  const files = {
    'lib.rs': 'mod a;\npub mod b;\npub use a::A;',
    'a.rs': 'use crate::b::{c::C, d::{self, D as E}};\n// crate::a::A is in a comment.',
    'b/mod.rs': 'mod c;\npub mod d;\npub use self::d::D;\npub use c::C;',
    'b/c.rs': 'use super::d::D;\nconst NAME: &str = "super::C";\npub(in crate::b) struct C;',
    'b/d.rs': 'use core::mem;\npub struct D;\n#[cfg(test)]\nmod tests { use super::super::c::C; }',
  };
  expect(crate(files)).toEqual([]);
  expect(importsOf(new Map(Object.entries(files))).get('a.rs')).toEqual(
    new Set(['b/c.rs', 'b/d.rs']),
  );
});

it.each([
  [
    'two files',
    { 'a.rs': 'use crate::b::B;', 'b.rs': 'use crate::{c, a::A};', 'c.rs': '' },
    [['a.rs', 'b.rs']],
  ],
  [
    'paths in code',
    { 'a.rs': 'fn f() { crate::b::g() }', 'b.rs': 'fn g() { super::a::f() }' },
    [['a.rs', 'b.rs']],
  ],
  [
    'a module and a part of it that takes another from it',
    { 'm/mod.rs': 'pub use c::C;\npub use d::D;', 'm/c.rs': 'use super::D;', 'm/d.rs': '' },
    [['m/mod.rs', 'm/c.rs']],
  ],
  [
    'three files, and beside them two',
    {
      'a.rs': 'use crate::b;',
      'b.rs': 'use crate::c::{\n    C,\n};',
      'c.rs': 'use crate::a;',
      'd.rs': 'use crate::{e, a};',
      'e.rs': 'use crate::d;',
    },
    [
      ['a.rs', 'b.rs', 'c.rs'],
      ['d.rs', 'e.rs'],
    ],
  ],
])('circles are found: %s', (_, files, circles) => {
  expect(crate(files)).toEqual(circles);
});
