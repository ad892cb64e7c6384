"""What readers may ask and what not: one table of statements, asked of the macro that decides."""

# ruff: noqa: E501  whole statements stay on one line; times are in UTC without saying so

from __future__ import annotations

import duckdb
import pytest

from mcptap.exporters.store import access, schema, summaries

ADMITTED = (
    "SELECT 1",
    "select 1;",
    "FROM runs",
    "FROM runs SELECT count()",
    "VALUES (1)",
    "TABLE runs",
    "SELECT * FROM store.main.exchanges ORDER BY started_at DESC LIMIT 5",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "WITH a AS (FROM runs), b AS (FROM a) SELECT * FROM (WITH c AS (FROM b) FROM c)",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SHOW",
    "DESCRIBE messages",
    "SUMMARIZE exchanges",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE FROM runs",
    "BEGIN TRANSACTION",
    "COMMIT",
    "ROLLBACK",
    "SELECT target, count(*), avg(duration_ms), quantile_cont(duration_ms, 0.95) FROM exchanges GROUP BY ALL",
    "SELECT body->>'$.params.name', body->'a', m.\"at\" FROM messages m WHERE body LIKE '%x%' OR body ~ 'y'",
    "SELECT time_bucket(INTERVAL 1 HOUR, started_at) AS hour, count(*) FILTER (outcome <> 'ok') FROM exchanges GROUP BY 1",
    "SELECT row_number() OVER (PARTITION BY run_id ORDER BY seq) FROM messages QUALIFY row_number() OVER () = 1",
    "SELECT * FROM exchanges e JOIN runs r USING (run_id) LEFT JOIN findings f ON f.run_id = e.run_id",
    "SELECT run_id FROM runs UNION SELECT run_id FROM gaps EXCEPT SELECT run_id FROM calls",
    "SELECT [x + 1 FOR x IN [1, 2]], {'a': 1}.a, MAP {'a': 1}, list_transform([1], lambda x: x)",
    "SELECT CASE WHEN EXISTS (FROM runs) THEN coalesce(NULL, 1) END, CAST('1' AS INT), now() - INTERVAL 1 HOUR, current_date",
    "SELECT key, value FROM json_each('{\"a\": 1}'), range(3), unnest([1])",
    "SELECT COLUMNS('.*_at') FROM runs",
    "SELECT sql FROM duckdb_tables()",
    "SELECT * FROM information_schema.columns",
    "FROM server_summary",
    "FROM server_summary()",
    "FROM tool_summary(since := now() - INTERVAL 1 DAY, server := 'files') WHERE calls = 0",
    "SELECT * FROM error_groups(until := TIMESTAMP '2026-11-20', host := 'x') ORDER BY errors DESC LIMIT 3",
    "FROM timeline(step := INTERVAL 1 HOUR, server := (SELECT name FROM runs LIMIT 1))",
    "DESCRIBE slow_calls",
)

STATEMENTS = (
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE runs",
    "BEGIN; DROP TABLE runs",
    "COMMIT; DROP TABLE runs",
    "SHOW TABLES; DROP TABLE runs",
    "EXPLAIN SELECT 1; DROP TABLE runs",
    "EXPLAIN ANALYZE DELETE FROM runs",
    "EXPLAIN EXPLAIN DELETE FROM runs",
    "SELECT 1 -- \x00; DROP TABLE runs",
    "INSERT INTO runs (run_id) VALUES ('x')",
    "DELETE FROM runs",
    "UPDATE runs SET name = 'x'",
    "MERGE INTO runs USING runs x ON true WHEN MATCHED THEN DELETE",
    "TRUNCATE runs",
    "WITH x AS (SELECT 1) DELETE FROM runs",
    "WITH x AS (INSERT INTO runs (run_id) VALUES ('a') RETURNING *) SELECT * FROM x",
    "CREATE TABLE x (i INT)",
    "CREATE OR REPLACE MACRO mcptap_admits(a, b) AS true",
    "CREATE TABLE x AS SELECT 1",
    "ALTER TABLE runs ADD COLUMN x INT",
    "DROP TABLE runs",
    "COMMENT ON TABLE runs IS 'x'",
    "COPY runs TO '/tmp/x'",
    "COPY (SELECT 1) TO '/tmp/x'",
    "EXPORT DATABASE 'x'",
    "IMPORT DATABASE 'x'",
    "ATTACH 'x' AS y",
    "DETACH store",
    "USE x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA version",
    "SET threads = 1",
    "SET GLOBAL quack_authorization_function = 'quack_nop_authorization'",
    "RESET ALL",
    "CALL quack_stop('quack:localhost:1')",
    "CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "PREPARE x AS SELECT 1",
    "EXECUTE x",
    "CREATE SECRET x (TYPE s3)",
    "",
    ";",
    "no sql",
)

# What reads files, the network, the environment, the settings, or text as SQL.
CALLS = (
    "read_text('x')", "read_blob('x')", "read_csv('x')", "read_csv_auto('x')", "read_parquet('x')", "parquet_scan('x')",
    "read_json('x')", "read_ndjson_objects('x')", "read_duckdb('x')", "sniff_csv('x')", "parquet_metadata('x')",
    "parquet_schema('x')", "parquet_kv_metadata('x')", "glob('*')", "query('SELECT 1')", "query_table('x.csv')",
    "json_execute_serialized_sql('x')", "duckdb_secrets()", "which_secret('x', 's3')", "duckdb_settings()",
    "duckdb_logs()", "duckdb_variables()", "duckdb_extensions()", "pragma_storage_info('runs')", "enable_logging()",
    "quack_query('quack:localhost:1', 'SELECT 1')", "quack_query_by_name('x', 'SELECT 1')", "quack_serve()",
    "quack_stop('x')", "quack_active_connections()", "quack_server_list()", "quack_clear_cache()", "whoami()",
    "READ_TEXT('x')", '"READ_TEXT"(\'x\')', "main.read_text('x')", "system.main.read_text('x')", "sqlite_scan('a', 'b')",
    "checkpoint()", "truncate_duckdb_logs()", "summary((FROM runs))", "arrow_scan(1, 2, 3)",
)  # fmt: skip
FILES = ("'x.csv'", '"x.csv"', "'/etc/passwd'", "'https://example.org/x.parquet'", "'s3://x/y.json'", "'*.parquet'")
INTERNALS = (
    "internal.loaded",
    "loaded",
    "duckdb_logs",
    "duckdb_settings",
    "pg_catalog.pg_class",
    "system.main.runs",
    "temp.x",
)
SCALARS = (
    "getenv('HOME')", "current_setting('s3_secret_access_key')", "getvariable('x')", "nextval('x')", "write_log('x')",
    "sleep_ms(1000)", "pg_sleep(1)", "setseed(1)", "json_serialize_plan('x')", "json_deserialize_sql('x')", "quack_nop_authorization('a', 'b')",
    "mcptap_admits('a', 'b')", "current_query()", "'x'.getenv()", "quack_check_token('a', 'b', 'c')", "in_search_path('a', 'b')",
)  # fmt: skip

# Every place where a relation or an expression may stand.
AROUND_RELATION = (
    "SELECT * FROM {0}",
    "FROM {0}",
    "FROM runs, {0}",
    "FROM runs JOIN {0} ON true",
    "FROM runs SEMI JOIN {0} ON true",
    "SELECT (SELECT count(*) FROM {0})",
    "WITH a AS (FROM {0}) FROM a",
    "WITH a AS MATERIALIZED (WITH b AS (FROM {0}) FROM b) FROM a",
    "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT 1 FROM a, {0}) FROM a",
    "FROM runs UNION ALL BY NAME FROM {0}",
    "FROM runs WHERE EXISTS (FROM {0})",
    "FROM runs WHERE run_id IN (FROM {0})",
    "FROM runs WHERE run_id = ANY (FROM {0})",
    "FROM runs ORDER BY (SELECT count(*) FROM {0})",
    "FROM runs LIMIT (SELECT count(*) FROM {0})",
    "FROM runs LIMIT 1 OFFSET (SELECT count(*) FROM {0})",
    "SELECT run_id FROM runs GROUP BY run_id HAVING (SELECT count(*) FROM {0}) > 0",
    "FROM runs QUALIFY (SELECT true FROM {0})",
    "SELECT sum(1) FILTER ((SELECT true FROM {0}))",
    "SELECT sum(1) OVER (ORDER BY (SELECT 1 FROM {0})) FROM runs",
    "SELECT list_transform(['a'], lambda x: (SELECT 1 FROM {0}))",
    "SELECT * REPLACE ((SELECT '' FROM {0}) AS name) FROM runs",
    "SELECT CASE WHEN true THEN (SELECT 1 FROM {0}) END",
    "SELECT CAST((SELECT 1 FROM {0}) AS INT)",
    "SELECT TRY((SELECT 1 FROM {0}))",
    "SELECT {{'a': (SELECT 1 FROM {0})}}, [(SELECT 1 FROM {0})]",
    "VALUES ((SELECT 1 FROM {0}))",
    "SELECT * FROM (VALUES ((SELECT 1 FROM {0})))",
    "FROM runs, LATERAL (SELECT * FROM {0})",
    "SELECT unnest((SELECT [1] FROM {0}))",
    "SELECT * FROM range((SELECT 1 FROM {0}))",
    "FROM (PIVOT (FROM {0}) ON a IN (1) USING count(*))",
    "FROM (UNPIVOT (FROM {0}) ON a)",
    "EXPLAIN ANALYZE SELECT * FROM {0}",
    "DESCRIBE SELECT * FROM {0}",
    "SUMMARIZE SELECT * FROM {0}",
    "FROM (DESCRIBE SELECT * FROM {0})",
)
AROUND_SCALAR = ("SELECT {0}", "FROM runs WHERE name = {0}", "WITH a AS (SELECT {0}) FROM a", "SELECT abs(({0})::INT)")

# A name that a statement defines for itself admits nothing beyond its own scope.
OWN_NAMES = (
    'WITH "x.csv" AS (SELECT 1) FROM "x.csv"',
    'SELECT * FROM (WITH "x.csv" AS (SELECT 1) FROM "x.csv"), \'x.csv\'',
    "SELECT * FROM (WITH duckdb_logs AS (SELECT 1) FROM duckdb_logs), duckdb_logs",
    "WITH pragma_database_list AS (SELECT 1) FROM pragma_database_list",
    "DESCRIBE 'x.csv'",
    "SUMMARIZE 'x.parquet'",
)


@pytest.fixture(scope="module")
def judge():
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS store; USE store")
        for statement in schema.statements():
            connection.execute(statement)
        connection.execute(access.macro("store"))
        yield connection


@pytest.fixture(scope="module")
def admits(judge):
    ask = f"SELECT {access.MACRO}(?, ?)"
    return lambda sql: judge.execute(ask, ["connection", sql]).fetchone()[0]


@pytest.fixture(scope="module")
def admitted(judge):
    """Which of some statements are admitted; to ask for each alone takes thirty times as long."""
    ask = f"SELECT sql FROM (SELECT unnest(?) AS sql) WHERE {access.MACRO}('connection', sql)"
    return lambda sqls: [row[0] for row in judge.execute(ask, [list(sqls)]).fetchall()]


@pytest.mark.parametrize("sql", ADMITTED)
def test_reading_is_admitted(admits, sql):
    assert admits(sql) is True
    if not sql.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
        assert admits(f"\n  {sql}\n") is True


@pytest.mark.parametrize("sql", [*STATEMENTS, *OWN_NAMES])
def test_what_is_not_one_reading_statement_is_refused(admits, sql):
    assert admits(sql) is False


@pytest.mark.parametrize("relation", [*CALLS, *FILES, *INTERNALS])
def test_no_place_lets_a_relation_in_that_is_not_ours(admitted, relation):
    assert admitted(sql.format(relation) for sql in AROUND_RELATION) == []


@pytest.mark.parametrize("call", SCALARS)
def test_no_place_lets_a_function_in_that_is_not_on_the_list(admitted, call):
    assert admitted(sql.format(call) for sql in AROUND_SCALAR) == []


def test_the_places_themselves_are_admitted(admits, admitted):
    """Else the two tests above would show nothing."""
    places = [sql.format("gaps") for sql in AROUND_RELATION]
    assert admitted(places) == [sql for sql in places if admits(sql)]
    assert [sql for sql in set(places) - set(admitted(places)) if "PIVOT" not in sql] == []
    assert len(admitted(sql.format("abs(1)") for sql in AROUND_SCALAR)) == len(AROUND_SCALAR)


def test_every_function_on_the_list_exists():
    grammar = {"->", "count_star", "element_at", "map", "row_number", "if", "ifnull"}
    with duckdb.connect() as connection:
        known = {
            row[0].lower() for row in connection.execute("SELECT function_name FROM duckdb_functions()").fetchall()
        }
    lists = {name for name in access.FUNCTIONS if name.startswith(("list_", "array_"))}
    assert access.FUNCTIONS - known - grammar - lists == frozenset(summaries.MACROS)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("selec 1", "syntax error"),
        ("FROM nix", "'nix'"),
        ("SELECT getenv('x')", "'getenv'"),
        ("DROP TABLE runs", None),
        ("FROM runs", None),
    ],
)
def test_a_refusal_is_explained(sql, told):
    with duckdb.connect() as connection:
        objection = access.objection(connection, sql)
    assert (told in objection) if told else objection is None
