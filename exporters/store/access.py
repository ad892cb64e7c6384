"""Decides which statements a reader may run: one that only reads, and only what is meant to be read.

DuckDB's own parser takes the statement apart (`json_serialize_sql` knows SELECT and its kin and nothing else), and
everything that the parse names must be on a list: functions, relations, schemas. What is not on it is refused, so
reading files, the network, the environment or the settings needs no list of its own. The rule is one SQL macro,
because Quack calls it by name on a connection of its own making.
"""
# ruff: noqa: S608  the SQL is made of the constants below

from __future__ import annotations

import json

import duckdb

from mcptap.exporters.store.schema import RELATIONS
from mcptap.exporters.store.summaries import SUMMARIES

MACRO = "mcptap_admits"

_OPERATORS = """!__postfix !~~ !~~* % & && * ** + - ->> / // <-> << <=> <@ >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~ ->"""

_AGGREGATES = """any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null
    arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and bit_or bit_xor
    bool_and bool_or corr count count_if count_star countif covar_pop covar_samp cume_dist dense_rank entropy favg
    fill first first_value fsum group_concat histogram histogram_exact kahan_sum kurtosis kurtosis_pop lag last
    last_value lead list listagg mad max max_by mean median min min_by mode nth_value ntile percent_rank product
    quantile quantile_cont quantile_disc rank rank_dense regr_avgx regr_avgy regr_count regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy reservoir_quantile row_number sem skewness stddev stddev_pop stddev_samp
    string_agg sum sum_no_overflow sumkahan var_pop var_samp variance geomean geometric_mean wavg weighted_avg
    json_group_array json_group_object json_group_structure"""

_SCALARS = """abs acos acosh add age ago alias array_to_json array_to_string ascii asin asinh atan atan2 atanh bar
    base64 bin bit_count bit_length bit_position cardinality cbrt ceil ceiling century char_length character_length
    chr combine concat concat_ws constant_or_null contains cos cosh cot current_catalog current_database current_date
    current_localtime current_localtimestamp current_schema damerau_levenshtein date_add date_diff date_part date_sub
    date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade
    decode degrees divide editdist3 element_at encode ends_with epoch epoch_ms epoch_ns epoch_us equi_width_bins era
    error even exp factorial fdiv flatten floor fmod format formatreadabledecimalsize formatreadablesize format_bytes
    from_base64 from_binary from_hex from_json from_json_strict gamma gcd generate_subscripts get_bit get_current_time
    get_current_timestamp greatest greatest_common_divisor hamming hash hex hour icu_sort_key if ifnull ilike_escape
    instr is_histogram_other_bin isfinite isinf isnan isodow isoyear jaccard jaro_similarity jaro_winkler_similarity
    json json_array json_array_length json_contains json_exists json_extract json_extract_path json_extract_path_text
    json_extract_string json_keys json_merge_patch json_object json_pretty json_quote json_structure json_transform
    json_transform_strict json_type json_valid json_value julian last_day lcase lcm least least_common_multiple left
    left_grapheme len length length_grapheme levenshtein lgamma like_escape ln log log10 log2 lower lpad ltrim
    make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz map map_concat map_contains
    map_contains_entry map_contains_value map_entries map_extract map_extract_value map_from_entries map_keys map_values
    md5 md5_number md5_number_lower md5_number_upper microsecond millennium millisecond minute mismatches mod month
    monthname multiply nanosecond nextafter nfc_normalize not_ilike_escape not_like_escape now nullif octet_length ord
    parse_dirname parse_dirpath parse_filename parse_formatted_bytes parse_path pg_size_pretty pg_typeof pi position
    pow power prefix printf quarter radians random reduce regexp_escape regexp_extract regexp_extract_all
    regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat replace reverse right right_grapheme
    round round_even roundbankers row row_to_json rpad rtrim second set_bit sha1 sha256 sign signbit sin sinh split
    split_part sqrt starts_with str_split str_split_regex strftime string_split string_split_regex string_to_array
    strip_accents strlen strpos strptime struct_concat struct_contains struct_extract struct_extract_at struct_has
    struct_indexof struct_insert struct_keys struct_pack struct_position struct_update struct_values substr substring
    substring_grapheme subtract suffix tan tanh time_bucket timezone timezone_hour timezone_minute to_base to_base64
    to_binary to_centuries to_days to_decades to_hex to_hours to_json to_microseconds to_millennia to_milliseconds
    to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp translate
    trim trunc try_strptime typeof ucase unbin unhex unicode union_extract union_tag union_value unpivot_list upper
    url_decode url_encode uuid_extract_timestamp uuid_extract_version version week weekday weekofyear xor year
    yearweek"""

# Each is known by `list_` and by `array_`.
_LISTS = """aggr aggregate any_value append apply approx_count_distinct avg bit_and bit_or bit_xor bool_and bool_or cat
    concat contains cosine_distance cosine_similarity count cross_product distance distinct dot_product element entropy
    extract filter first grade_up has has_all has_any histogram indexof inner_product intersect kurtosis kurtosis_pop
    last length mad max median min mode negative_dot_product negative_inner_product pack pop_back pop_front position
    prepend product push_back push_front reduce resize reverse reverse_sort select sem skewness slice sort stddev_pop
    stddev_samp string_agg sum transform unique value var_pop var_samp where zip"""

_TABLE_FUNCTIONS = """duckdb_columns duckdb_tables duckdb_views generate_series json_each json_tree range
    regexp_split_to_table unnest histogram_values"""

FUNCTIONS = frozenset(f"{_OPERATORS} {_AGGREGATES} {_SCALARS} {_TABLE_FUNCTIONS} apply filter grade_up".split()) | {
    *(f"{kind}_{name}" for name in _LISTS.split() for kind in ("list", "array")),
    *SUMMARIES,  # our own macros
}

# information_schema's names stand beside ours; `"tables"` and the like are what SHOW becomes.
_TABLES = (
    *RELATIONS,
    "columns",
    "schemata",
    "tables",
    "views",
    "",
    '"tables"',
    '"databases"',
    "__show_tables_expanded",
)
_SCHEMAS = ("", "main", "information_schema")
_NODES = ("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE")


def _named(path: str) -> str:
    """Every name that stands at this place of the tree, in lower case: DuckDB's names have no case."""
    return f"list_transform(json_extract_string(tree, '{path}'), lambda name: lower(name))"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_EXPLAIN = r"^\s*explain\s+(analyze\s+)?"
# What an attached client says around each statement.
_TRANSACTION = r"\s*(begin( transaction)?|commit|rollback)\s*;?\s*"
# A statement may name what it defines itself, but nothing that could be a file or one of DuckDB's own views.
_OWN_NAME = "[a-z_][a-z0-9_]*"
_NOT_OWN = "(duckdb|pragma|sqlite|pg|information|mcptap)_?.*"


_TREE = f"json_serialize_sql(regexp_replace(sent, {_quote(_EXPLAIN)}, '', 'i')::VARCHAR)"
_OWN = _named("$..cte_map.map[*].key")

# What the parse tree names -> what it may be. `own` are the names that WITH defines.
_NAMES = {
    "function_name": FUNCTIONS,
    "table_name": _TABLES,
    "schema_name": _SCHEMAS,
    "schema": _SCHEMAS,
}


def macro(database: str) -> str:
    """The statement that makes `mcptap_admits(connection, query)`, for the database of this name."""
    catalogs = ("", database)
    named = [
        f"list_has_all(list_concat({_list(allowed)}, {'own' if key == 'table_name' else '[]'}), {_names(key)})"
        for key, allowed in {**_NAMES, "catalog_name": catalogs, "catalog": catalogs}.items()
    ]
    return f"""CREATE OR REPLACE MACRO {MACRO}(sid, query) AS (
        SELECT coalesce(regexp_full_match(lower(sent), {_quote(_TRANSACTION)}) OR (
            tree->>'$.error' = 'false' AND json_array_length(tree, '$.statements') = 1
            AND NOT contains(sent, chr(0))
            AND list_has_all({_list(_NODES)}, json_extract_string(tree, '$..node.type'))
            AND {" AND ".join(named)}
            AND len(list_filter(own, lambda name: NOT regexp_full_match(name, {_quote(_OWN_NAME)})
                    OR regexp_full_match(name, {_quote(_NOT_OWN)}))) = 0
        ), false)
        FROM (SELECT sent, tree, {_OWN} AS own FROM (
            SELECT sent, {_TREE} AS tree FROM (SELECT query::VARCHAR AS sent)))
    )"""


def objection(connection: duckdb.DuckDBPyConnection, sql: str) -> str | None:
    """Why a statement was not admitted, in one line; None if it is not for what it names.

    Any connection will do. This only explains; it is the macro that decides. Raises duckdb.Error.
    """
    parsed = f"SELECT tree, {_OWN} FROM (SELECT {_TREE} AS tree FROM (SELECT ?::VARCHAR AS sent))"
    row = connection.execute(parsed, [sql]).fetchone()
    assert row
    tree, own = json.loads(row[0]), row[1]
    if tree["error"]:
        return f"syntax error: {tree['error_message']}" if tree["error_type"] == "parser" else None
    for key, allowed in _NAMES.items():
        found = connection.execute(f"SELECT {_names(key)} FROM (SELECT ?::JSON AS tree)", [row[0]]).fetchone()
        for name in found[0] if found else ():
            if name not in (*allowed, *own):
                return f"{key.split('_')[0]} {name!r} does not exist or is not for readers"
    return None


def _names(key: str) -> str:
    return _named(f"$..{key}")


def _list(names: object) -> str:
    """As one text to be split: DuckDB binds each word of a list by itself, for every statement that is admitted."""
    assert isinstance(names, tuple | frozenset)
    return f"string_split({_quote(chr(10).join(sorted(names)))}, chr(10))"
