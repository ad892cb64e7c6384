"""What is asked often of runs and definitions, as views: the same words for the command line, a dashboard and users."""

# ruff: noqa: S608  the SQL is made of the constants below

from __future__ import annotations

STDERR_TAIL = 20  # lines that a crash is told with

# Of two listings the later one began later; the rest only makes the order the same every time.
_WHEN = "{'begun_at': begun_at, 'run_id': run_id, 'first_seq': first_seq}"
ENDED_BY_HOST = "(1, 2, 13, 15)"  # HUP, INT, PIPE, TERM: what hosts do to a server, or its stdout closed by them
ENDED_BY_HOST_CODES = "(0, 129, 130, 141, 143)"  # and the same as exit codes

VIEWS: dict[str, str] = {
    # `latest`: of the last listing that had it. What a later complete listing has not is gone.
    "definitions": f"""
        WITH pages AS (
            SELECT server_key, kind, digest, min(began) AS first, max(began) AS latest, max(ended_at) AS last_seen
            FROM (SELECT server_key, kind, unnest(page_digests) AS digest, {_WHEN} AS began, ended_at
                  FROM internal.listings) GROUP BY ALL),
        texts AS (
            SELECT server_key, kind, name, hash, min(first) AS first, max(latest) AS latest, max(last_seen) AS last_seen
            FROM pages JOIN internal.listing_members USING (digest) GROUP BY server_key, kind, name, hash),
        complete AS (
            SELECT server_key, kind, max({_WHEN}) AS latest FROM internal.listings WHERE complete
            GROUP BY server_key, kind),
        named AS (SELECT *, max(latest) OVER (PARTITION BY server_key, kind, name) AS named_last FROM texts)
        SELECT n.server_key, n.kind, n.name, n.hash, t.body, n.first.begun_at AS first_seen, n.last_seen,
            n.first.run_id AS run_id, t.tokens_estimate, t.size_bytes, t.title, t.description,
            CASE WHEN n.named_last < c.latest THEN 'gone'
                 WHEN n.latest < n.named_last THEN 'replaced'
                 ELSE 'current' END AS state
        FROM named n JOIN internal.definition_texts t USING (kind, hash)
            LEFT JOIN complete c ON c.server_key = n.server_key AND c.kind = n.kind""",
    "current_definitions": "SELECT * EXCLUDE state FROM definitions WHERE state = 'current'",
    # Each listing beside the last complete one before it. Only what is complete can lack something.
    "definition_changes": """
        WITH paired AS (
            SELECT *, last_value(CASE WHEN complete THEN page_digests END IGNORE NULLS) OVER earlier AS complete_before,
                last_value(page_digests) OVER earlier AS any_before
            FROM internal.listings WHERE begins
            WINDOW earlier AS (PARTITION BY server_key, kind ORDER BY begun_at, run_id, first_seq
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
        pairs AS (
            SELECT row_number() OVER () AS pair, server_key, kind, run_id, first_seq, begun_at, complete,
                complete_before IS NOT NULL AS known, coalesce(complete_before, any_before) AS before, page_digests
            FROM paired WHERE coalesce(complete_before, any_before) <> page_digests),
        old AS (
            SELECT pair, name, arg_max(hash, {'page': page, 'position': position}) AS hash
            FROM (SELECT pair, unnest(before) AS digest, generate_subscripts(before, 1) AS page FROM pairs)
            JOIN internal.listing_members USING (digest) GROUP BY pair, name),
        new AS (
            SELECT pair, name, arg_max(hash, {'page': page, 'position': position}) AS hash
            FROM (SELECT pair, unnest(page_digests) AS digest, generate_subscripts(page_digests, 1) AS page FROM pairs)
            JOIN internal.listing_members USING (digest) GROUP BY pair, name),
        differing AS (
            SELECT pair, name, old.hash AS before_hash, new.hash AS after_hash
            FROM old FULL JOIN new USING (pair, name) WHERE old.hash IS DISTINCT FROM new.hash)
        SELECT p.begun_at AS "at", p.server_key, p.kind, d.name,
            CASE WHEN before_hash IS NULL THEN 'added' WHEN after_hash IS NULL THEN 'removed'
                 ELSE 'changed' END AS change,
            d.before_hash, d.after_hash, p.run_id
        FROM differing d JOIN pairs p USING (pair)
        WHERE CASE WHEN before_hash IS NULL THEN p.known WHEN after_hash IS NULL THEN p.complete ELSE true END
        QUALIFY lag({'hash': after_hash}) OVER (PARTITION BY p.server_key, p.kind, d.name
            ORDER BY p.begun_at, p.run_id, p.first_seq) IS DISTINCT FROM {'hash': after_hash}""",
    # A server that was started again in one life of its host, after a run that had ended.
    "restarts": """
        WITH counted AS (
            SELECT *, row_number() OVER (PARTITION BY server_key, host_session_id ORDER BY started_at, run_id) AS start
            FROM runs WHERE host_session_id IS NOT NULL)
        SELECT r.run_id, r.server_key, r.host_session_id, r.start AS start_number, r.started_at,
            p.run_id AS previous_run_id, p.state AS previous_state, p.exit_code AS previous_exit_code,
            p.exit_signal AS previous_exit_signal, p.ended_at AS previous_ended_at,
            (epoch_us(r.started_at) - epoch_us(p.ended_at)) / 1e3 AS pause_ms
        FROM counted r ASOF JOIN counted p ON p.server_key = r.server_key AND p.host_session_id = r.host_session_id
            AND r.started_at > p.ended_at""",
    "crashes": f"""
        WITH crashed AS (
            SELECT *, CASE WHEN server_pid IS NULL THEN 'not_started' WHEN exit_signal = 9 THEN 'killed'
                           WHEN exit_signal IS NOT NULL THEN 'signal' ELSE 'exit' END AS how
            FROM runs WHERE state = 'ended' AND (exit_signal NOT IN {ENDED_BY_HOST}
                OR exit_code NOT IN {ENDED_BY_HOST_CODES})),
        numbered AS MATERIALIZED (  -- else DuckDB 1.5 stumbles over the rowid
            SELECT run_id, text, rowid AS number FROM stderr_lines WHERE run_id IN (SELECT run_id FROM crashed)),
        last_words AS (
            SELECT run_id, string_agg(text, chr(10) ORDER BY number) AS said
            FROM (FROM numbered
                  QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY number DESC) <= {STDERR_TAIL})
            GROUP BY run_id)
        SELECT c.run_id, c.server_key, c.host_session_id, c.host_process, c.started_at, c.ended_at, c.how, c.exit_code,
            c.exit_signal, (epoch_us(c.ended_at) - epoch_us(c.started_at)) / 1e3 AS lasted_ms, c.unanswered,
            c.max_rss_bytes, w.said AS stderr_tail
        FROM crashed c LEFT JOIN last_words w USING (run_id)""",
    "run_health": """
        WITH used AS (
            SELECT run_id, max(rss_bytes) AS peak, arg_min(rss_bytes, "at") AS first, arg_max(rss_bytes, "at") AS last,
                max(cpu_seconds) AS cpu, max(processes) AS processes
            FROM usage GROUP BY run_id)
        SELECT r.run_id, r.server_key, r.host_session_id, r.host_process, r.started_at, r.ended_at, r.state,
            CASE WHEN r.host_session_id IS NOT NULL THEN row_number() OVER (
                PARTITION BY r.server_key, r.host_session_id ORDER BY r.started_at, r.run_id) END AS start_number,
            r.first_answer_ms, r.requests, r.unanswered, r.requests = 0 AS probe_only,
            CASE WHEN u.peak > r.max_rss_bytes THEN u.peak ELSE coalesce(r.max_rss_bytes, u.peak) END AS peak_rss_bytes,
            u.first AS first_rss_bytes, u.last AS last_rss_bytes,
            CASE WHEN u.cpu > r.cpu_seconds THEN u.cpu ELSE coalesce(r.cpu_seconds, u.cpu) END AS cpu_seconds,
            u.processes
        FROM runs r LEFT JOIN used u USING (run_id)""",
}
