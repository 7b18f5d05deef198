select
    table_name,
    column_name,
    data_type
from duckdb_columns()
where not internal and not starts_with(table_name, '_')
order by table_name, column_index
