import { describe, expect, it } from 'vitest';
import { readMigrations, splitStatements } from './migrate.ts';

describe('splitStatements', () => {
  it('ends a statement at a semicolon that ends a line, and leaves out lines of comment', () => {
    expect(
      splitStatements(`-- first; not a statement;
CREATE TABLE a (
  -- a column;
  b String DEFAULT ';' COMMENT 'x; y'
) ENGINE = Memory;

DROP TABLE c; -- not at the end of the line: part of the statement
SELECT 1;
`),
    ).toEqual([
      "CREATE TABLE a (\n  b String DEFAULT ';' COMMENT 'x; y'\n) ENGINE = Memory",
      'DROP TABLE c; -- not at the end of the line: part of the statement\nSELECT 1',
    ]);
  });
});

describe('the migrations', () => {
  it('can be run again', () => {
    for (const { statements } of readMigrations()) {
      expect(statements.length).toBeGreaterThan(0);
      for (const statement of statements) {
        expect(statement).toMatch(/^(CREATE TABLE IF NOT EXISTS|ALTER TABLE \w+ .*IF (NOT )?EXISTS) /);
      }
    }
  });
});
