<?php
// Runs the script with a PHP driver, pdo or mysqli, and prints what it saw as JSON.
//
// usage: php php_driver.php pdo|mysqli      (DRIVER_* in the environment, see README.md)
declare(strict_types=1);

ini_set('memory_limit', '2G');
ini_set('precision', '17');

const LONG = 200; // characters; what is longer is printed as a digest

function shortened(string $text): string {
    return strlen($text) <= LONG ? $text : strlen($text) . ' bytes, sha256 ' . hash('sha256', $text);
}

// A value as the driver gave it, with its type, so that 1 and '1' differ.
function seen(mixed $value): array {
    if (is_string($value) && preg_match('//u', $value) !== 1) return ['bytes', shortened(bin2hex($value))];
    return [get_debug_type($value), shortened(is_bool($value) ? var_export($value, true) : (string)$value)];
}

function seen_rows(array $rows): array {
    $printed = array_map(fn($row) => array_map('seen', $row), $rows);
    return count($printed) > 100 ? [shortened(json_encode($printed))] : $printed;
}

function parameter(mixed $given): mixed {
    if (!is_array($given)) return $given;
    if (!isset($given['fill'])) return hex2bin($given['bytes']);
    return str_repeat($given['fill'], intdiv($given['bytes'], strlen($given['fill'])));
}

function is_bytes(mixed $given): bool {
    return is_array($given) && (!isset($given['fill']) || $given['as'] === 'bytes');
}

function expand(string $sql): string {
    return preg_replace_callback('/\{fill:(\d+)\}/', fn($match) => str_repeat('x', (int)$match[1]), $sql);
}

class PdoDriver {
    private PDO $pdo;

    public function __construct() {
        $database = getenv('DRIVER_DATABASE');
        $this->pdo = new PDO(
            'mysql:host=' . getenv('DRIVER_HOST') . ';port=' . getenv('DRIVER_PORT') . ';charset=utf8mb4' . ($database ? ";dbname=$database" : ''),
            getenv('DRIVER_USER'), getenv('DRIVER_PASSWORD'),
            [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::MYSQL_ATTR_SSL_CA => getenv('DRIVER_CA'),
             PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true, PDO::ATTR_EMULATE_PREPARES => false, PDO::MYSQL_ATTR_MULTI_STATEMENTS => true,
             PDO::MYSQL_ATTR_COMPRESS => (bool) getenv('DRIVER_COMPRESSION')]);
    }

    public function server(): string { return $this->pdo->getAttribute(PDO::ATTR_SERVER_VERSION); }

    private function results(PDOStatement $statement): array {
        $results = [];
        do {
            $columns = [];
            for ($index = 0; $index < $statement->columnCount(); $index++) $columns[] = $statement->getColumnMeta($index);
            $rows = $columns ? $statement->fetchAll(PDO::FETCH_NUM) : [];
            $results[] = ['columns' => $columns, 'rows' => seen_rows($rows), 'row_count' => $statement->rowCount()];
        } while ($statement->nextRowset());
        return [...$results, ['last_id' => $this->pdo->lastInsertId()]];
    }

    // PDO sends text only when it "emulates" prepared statements.
    public function query(string $sql): array {
        $this->pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, true);
        return $this->results($this->pdo->query($sql));
    }

    public function execute(string $sql, array $given, int $times): array {
        $this->pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, false);
        $statement = $this->pdo->prepare($sql);
        $results = [];
        for ($turn = 0; $turn < $times; $turn++) {
            foreach ($given as $index => $one) {
                $value = parameter($one);
                $type = is_null($value) ? PDO::PARAM_NULL : (is_int($value) ? PDO::PARAM_INT : (is_bytes($one) ? PDO::PARAM_LOB : PDO::PARAM_STR));
                $statement->bindValue($index + 1, is_float($value) ? (string)$value : $value, $type);
            }
            $statement->execute();
            $results[] = $this->results($statement);
        }
        return $results;
    }

    public function ping(): void { $this->pdo->query('DO 1'); }
    public function select_db(string $name): void { $this->pdo->exec("USE $name"); }
    public function error(Throwable $error): array { return [get_class($error), $error->getMessage(), $error->errorInfo ?? null]; }
}

class MysqliDriver {
    private mysqli $mysqli;

    public function __construct() {
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        $this->mysqli = mysqli_init();
        $this->mysqli->options(MYSQLI_OPT_SSL_VERIFY_SERVER_CERT, true);
        $this->mysqli->ssl_set(null, null, getenv('DRIVER_CA'), null, null);
        $this->mysqli->real_connect(getenv('DRIVER_HOST'), getenv('DRIVER_USER'), getenv('DRIVER_PASSWORD'), getenv('DRIVER_DATABASE') ?: null,
                                    (int)getenv('DRIVER_PORT'), null,
                                    MYSQLI_CLIENT_SSL | (getenv('DRIVER_COMPRESSION') ? MYSQLI_CLIENT_COMPRESS : 0));
        $this->mysqli->set_charset('utf8mb4');
    }

    public function server(): string { return $this->mysqli->server_info; }

    private function one(mysqli_result|bool|null $result): array {
        if (!$result instanceof mysqli_result) {
            return ['affected' => $this->mysqli->affected_rows, 'last_id' => $this->mysqli->insert_id, 'info' => $this->mysqli->info,
                    'warnings' => $this->mysqli->warning_count];
        }
        return ['columns' => $result->fetch_fields(), 'rows' => seen_rows($result->fetch_all()), 'warnings' => $this->mysqli->warning_count];
    }

    public function query(string $sql): array {
        $results = [];
        $this->mysqli->multi_query($sql);
        do {
            $results[] = $this->one($this->mysqli->store_result());
        } while ($this->mysqli->more_results() && $this->mysqli->next_result());
        return $results;
    }

    // Short values are bound; long bytes go in pieces (COM_STMT_SEND_LONG_DATA). Rows come by a cursor when there is one result.
    public function execute(string $sql, array $given, int $times): array {
        $statement = $this->mysqli->prepare($sql);
        $values = array_map('parameter', $given);
        if ($values) {
            $types = '';
            $bound = [];
            foreach ($given as $index => $one) {
                $value = $values[$index];
                $types .= is_bytes($one) ? 'b' : (is_int($value) ? 'i' : (is_float($value) ? 'd' : 's'));
                $bound[] = is_bytes($one) ? null : $value;
            }
            $statement->bind_param($types, ...$bound);
        }
        $results = [];
        for ($turn = 0; $turn < $times; $turn++) {
            foreach ($given as $index => $one) {
                if (!is_bytes($one)) continue;
                if ($values[$index] === '') $statement->send_long_data($index, '');
                foreach (str_split($values[$index], 1 << 20) as $piece) if ($piece !== '') $statement->send_long_data($index, $piece);
            }
            $statement->execute();
            do {
                $result = $statement->get_result();
                $results[] = $result instanceof mysqli_result
                    ? ['columns' => $result->fetch_fields(), 'rows' => seen_rows($result->fetch_all())]
                    : ['affected' => $statement->affected_rows, 'last_id' => $statement->insert_id];
            } while ($statement->more_results() && $statement->next_result());
        }
        $results[] = $this->with_cursor($sql, $given);
        $statement->close();
        return $results;
    }

    private function with_cursor(string $sql, array $given): ?array {
        if ($given || !str_starts_with($sql, 'SELECT') || str_contains($sql, 'driver_large')) return null;
        $statement = $this->mysqli->prepare($sql);
        $statement->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
        $statement->execute();
        $row = array_fill(0, $statement->field_count, null);
        $references = [];
        foreach (array_keys($row) as $index) $references[] = &$row[$index];
        $statement->bind_result(...$references);
        $rows = [];
        while ($statement->fetch()) $rows[] = array_map(fn($value) => $value, $row);
        $statement->close();
        return ['by cursor' => seen_rows($rows)];
    }

    public function ping(): void { $this->mysqli->ping(); }
    public function select_db(string $name): void { $this->mysqli->select_db($name); }

    // The rest of several results has to be taken, or the connection is out of step.
    public function error(Throwable $error): array {
        while ($this->mysqli->more_results()) {
            try { $this->mysqli->next_result(); } catch (mysqli_sql_exception) { break; }
        }
        return [get_class($error), $error->getCode(), $error->getMessage(), $error instanceof mysqli_sql_exception ? $error->getSqlState() : null];
    }
}

function run(PdoDriver|MysqliDriver $driver, array $step): mixed {
    switch ($step['op']) {
        case 'ping': $driver->ping(); return 'pong';
        case 'select_db': $driver->select_db($step['name']); return 'selected';
        case 'execute': return $driver->execute($step['sql'], $step['params'], $step['times']);
        default: return $driver->query(expand($step['sql']));
    }
}

function say(mixed $value): void {
    echo json_encode($value, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR), "\n";
}

try {
    $driver = $argv[1] === 'pdo' ? new PdoDriver() : new MysqliDriver();
} catch (PDOException | mysqli_sql_exception $error) {
    say(['refused' => [$error->getCode(), $error->getMessage()]]);
    exit;
}
if (getenv('DRIVER_INIT')) $driver->query(getenv('DRIVER_INIT'));
say(['server' => $driver->server()]);
foreach (json_decode(file_get_contents(getenv('DRIVER_STEPS')), true) as $step) {
    if (in_array($argv[1], $step['not_for'] ?? [], true)) continue;
    try {
        $outcome = run($driver, $step);
    } catch (PDOException | mysqli_sql_exception | ValueError $error) {
        $outcome = ['error' => $driver->error($error)];
    }
    say(['id' => $step['id'], 'outcome' => $outcome]);
}
