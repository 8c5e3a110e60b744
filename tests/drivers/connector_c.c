/* Runs what only the C API of MariaDB Connector/C does, and prints what it saw: bulk executions, cursors, and
 * executions whose answers may lack column definitions.
 *
 * usage: connector_c bulk|cursor|cached      (DRIVER_* in the environment; DRIVER_SOCKET in place of host and port) */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_error(const char *what, unsigned number, const char *text) { printf("%s: %u %s\n", what, number, text); }

static void query(MYSQL *mysql, const char *text) {
  if (mysql_query(mysql, text)) {
    print_error(text, mysql_errno(mysql), mysql_error(mysql));
    return;
  }
  do {
    MYSQL_RES *result = mysql_store_result(mysql);
    if (result == NULL) {
      printf("%.60s: %llu affected\n", text, (unsigned long long)mysql_affected_rows(mysql));
      continue;
    }
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(result))) {
      for (unsigned i = 0; i < mysql_num_fields(result); ++i) printf("%s%.40s", i ? ", " : "  ", row[i] ? row[i] : "NULL");
      printf("\n");
    }
    mysql_free_result(result);
  } while (mysql_next_result(mysql) == 0);
}

static MYSQL_STMT *prepare(MYSQL *mysql, const char *text) {
  MYSQL_STMT *statement = mysql_stmt_init(mysql);
  if (mysql_stmt_prepare(statement, text, strlen(text))) print_error(text, mysql_stmt_errno(statement), mysql_stmt_error(statement));
  return statement;
}

static void execute(MYSQL_STMT *statement, const char *what) {
  if (mysql_stmt_execute(statement)) {
    print_error(what, mysql_stmt_errno(statement), mysql_stmt_error(statement));
  } else {
    printf("%s: %llu affected\n", what, (unsigned long long)mysql_stmt_affected_rows(statement));
  }
}

/* Rows of at most four columns, as texts. */
static void print_rows(MYSQL_STMT *statement, const char *amid, MYSQL *mysql) {
  char text[4][64];
  unsigned long length[4];
  my_bool is_null[4];
  MYSQL_BIND bind[4];
  unsigned columns = mysql_stmt_field_count(statement);
  memset(bind, 0, sizeof bind);
  for (unsigned i = 0; i < columns && i < 4; ++i) {
    bind[i].buffer_type = MYSQL_TYPE_STRING;
    bind[i].buffer = text[i];
    bind[i].buffer_length = sizeof text[i];
    bind[i].length = &length[i];
    bind[i].is_null = &is_null[i];
  }
  mysql_stmt_bind_result(statement, bind);
  int status;
  while ((status = mysql_stmt_fetch(statement)) == 0 || status == MYSQL_DATA_TRUNCATED) {
    for (unsigned i = 0; i < columns && i < 4; ++i) {
      int shown = length[i] < sizeof text[i] ? (int)length[i] : (int)sizeof text[i];
      printf("%s%.*s", i ? ", " : "  ", is_null[i] ? 4 : shown, is_null[i] ? "NULL" : text[i]);
    }
    printf("\n");
    if (amid != NULL) query(mysql, amid);
  }
  if (status == 1) print_error("fetch", mysql_stmt_errno(statement), mysql_stmt_error(statement));
}

static void print_columns(MYSQL_STMT *statement) {
  MYSQL_RES *result = mysql_stmt_result_metadata(statement);
  for (unsigned i = 0; result != NULL && i < mysql_num_fields(result); ++i) {
    MYSQL_FIELD *field = mysql_fetch_field_direct(result, i);
    printf("  column %s of %s.%s, type %d, length %lu, flags %u\n", field->name, field->org_table, field->org_name,
           (int)field->type, field->length, field->flags);
  }
  mysql_free_result(result);
}

enum { rows = 5 };
static int numbers[rows] = {1, 2, 3, 4, 5};
static char *texts[rows] = {"one", "", "three", "four", "\xC3\xA9"};
static unsigned long lengths[rows] = {3, 0, 5, 4, 2};
static char number_indicators[rows] = {STMT_INDICATOR_NONE, STMT_INDICATOR_NONE, STMT_INDICATOR_NULL, STMT_INDICATOR_NONE,
                                       STMT_INDICATOR_NONE};
static char text_indicators[rows] = {STMT_INDICATOR_NONE, STMT_INDICATOR_NONE, STMT_INDICATOR_DEFAULT, STMT_INDICATOR_NULL,
                                     STMT_INDICATOR_IGNORE};

static void bind_rows(MYSQL_STMT *statement, unsigned count) {
  MYSQL_BIND bind[2];
  memset(bind, 0, sizeof bind);
  bind[0].buffer_type = MYSQL_TYPE_LONG;
  bind[0].buffer = numbers;
  bind[0].u.indicator = number_indicators;
  bind[1].buffer_type = MYSQL_TYPE_STRING;
  bind[1].buffer = texts;
  bind[1].length = lengths;
  bind[1].u.indicator = text_indicators;
  mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &count);
  mysql_stmt_bind_param(statement, bind);
}

static void bulk(MYSQL *mysql) {
  query(mysql, "CREATE TEMPORARY TABLE bulk (id INT AUTO_INCREMENT PRIMARY KEY, n INT, t VARCHAR(40) DEFAULT 'preset')");
  MYSQL_STMT *insert = prepare(mysql, "INSERT INTO bulk (n, t) VALUES (?, ?)");
  bind_rows(insert, rows);
  execute(insert, "insert");
  execute(insert, "insert again");
  query(mysql, "SELECT * FROM bulk ORDER BY id");
  MYSQL_STMT *collide = prepare(mysql, "INSERT INTO bulk (id, t) VALUES (? + 8, ?)");
  bind_rows(collide, 2);
  execute(collide, "collide");
  query(mysql, "SELECT COUNT(*) FROM bulk");
  MYSQL_STMT *update = prepare(mysql, "UPDATE bulk SET n = ? WHERE t = ?");
  bind_rows(update, 1);
  execute(update, "update");
  MYSQL_STMT *select = prepare(mysql, "SELECT ?, ?");
  bind_rows(select, 2);
  execute(select, "select");
  MYSQL_STMT *returning = prepare(mysql, "INSERT INTO bulk (n, t) VALUES (?, ?) RETURNING id, t");
  for (int i = 0; i < 3; ++i) {
    bind_rows(returning, rows);
    execute(returning, "returning");
    print_columns(returning);
    print_rows(returning, NULL, mysql);
  }
  /* What an execution of its own remembers of the types, and of the columns. */
  bind_rows(returning, 0);
  execute(returning, "returning, by itself");
  print_columns(returning);
  print_rows(returning, NULL, mysql);
  mysql_stmt_close(returning);
  query(mysql, "SELECT 'usable'");
}

static void cursor(MYSQL *mysql) {
  unsigned long type = CURSOR_TYPE_READ_ONLY;
  unsigned long prefetched = 2;
  MYSQL_STMT *select = prepare(mysql, "SELECT id, name, LENGTH(?) FROM customers ORDER BY id LIMIT 5");
  MYSQL_BIND bind[1];
  memset(bind, 0, sizeof bind);
  bind[0].buffer_type = MYSQL_TYPE_BLOB;
  mysql_stmt_attr_set(select, STMT_ATTR_CURSOR_TYPE, &type);
  mysql_stmt_attr_set(select, STMT_ATTR_PREFETCH_ROWS, &prefetched);
  char *part = calloc(1, 300000);
  for (int i = 0; i < 2; ++i) {
    mysql_stmt_bind_param(select, bind);
    for (int parts = 0; parts < 3; ++parts) mysql_stmt_send_long_data(select, 0, part, 300000);
    execute(select, "cursor");
    print_rows(select, i == 0 ? "SELECT 'amid'" : NULL, mysql);
  }
  free(part);
  MYSQL_STMT *call = prepare(mysql, "CALL cursors_amid()");
  mysql_stmt_attr_set(call, STMT_ATTR_CURSOR_TYPE, &type);
  for (int i = 0; i < 2; ++i) {
    execute(call, "call");
    do {
      if (mysql_stmt_field_count(call) > 0) print_rows(call, NULL, mysql);
    } while (mysql_stmt_next_result(call) == 0);
  }
  type = CURSOR_TYPE_NO_CURSOR;
  /* An empty result, behind which MySQL says that the cursor of the function exists. */
  MYSQL_STMT *empty = prepare(mysql, "SELECT id FROM customers WHERE cursor_within(id) < 0");
  mysql_stmt_attr_set(empty, STMT_ATTR_CURSOR_TYPE, &type);
  for (int i = 0; i < 2; ++i) {
    execute(empty, "empty");
    print_rows(empty, NULL, mysql);
  }
  query(mysql, "SELECT 'usable'");
}

static void cached(MYSQL *mysql) {
  unsigned long type = CURSOR_TYPE_READ_ONLY;
  query(mysql, "CREATE TEMPORARY TABLE cached (a INT, b VARCHAR(20))");
  query(mysql, "INSERT INTO cached VALUES (1, 'x'), (2, 'y')");
  MYSQL_STMT *select = prepare(mysql, "SELECT * FROM cached");
  print_columns(select);
  const char *changes[] = {"SELECT 1",
                           "ALTER TABLE cached MODIFY b VARCHAR(30)",
                           "SELECT 2",
                           "ALTER TABLE cached ADD c DATE DEFAULT '2026-01-31'",
                           "SELECT 3",
                           "ALTER TABLE cached DROP a",
                           "SELECT 4"};
  for (unsigned i = 0; i < sizeof changes / sizeof *changes; ++i) {
    if (i == 4) mysql_stmt_attr_set(select, STMT_ATTR_CURSOR_TYPE, &type);
    execute(select, changes[i]);
    print_columns(select);
    print_rows(select, NULL, mysql);
    query(mysql, changes[i]);
  }
  execute(select, "last");
  print_columns(select);
  print_rows(select, NULL, mysql);
}

int main(int count, char **arguments) {
  MYSQL *mysql = mysql_init(NULL);
  const char *socket = getenv("DRIVER_SOCKET");
  const char *port = getenv("DRIVER_PORT");
  my_bool verify = 1;
  if (socket == NULL) {
    mysql_options(mysql, MYSQL_OPT_SSL_CA, getenv("DRIVER_CA"));
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  }
  if (count != 2 || !mysql_real_connect(mysql, socket ? NULL : getenv("DRIVER_HOST"), getenv("DRIVER_USER"),
                                        getenv("DRIVER_PASSWORD"), getenv("DRIVER_DATABASE"), port ? (unsigned)atoi(port) : 0,
                                        socket, CLIENT_MULTI_RESULTS)) {
    fprintf(stderr, "%s\n", mysql_error(mysql));
    return 1;
  }
  mysql_set_character_set(mysql, "utf8mb4");
  if (strcmp(arguments[1], "bulk") == 0) bulk(mysql);
  if (strcmp(arguments[1], "cursor") == 0) cursor(mysql);
  if (strcmp(arguments[1], "cached") == 0) cached(mysql);
  mysql_close(mysql);
  return 0;
}
