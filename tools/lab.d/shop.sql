-- The sample shop: what a real shop holds about its customers, with values that belong to nobody. The card numbers are
-- the ones that card networks publish for tests, the social security numbers lie in the range that is never issued.
CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;
USE shop;

CREATE TABLE customers (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  email VARCHAR(255) NOT NULL UNIQUE,
  phone VARCHAR(32),
  card_number CHAR(16) NOT NULL,
  card_expires CHAR(5) NOT NULL,
  ssn CHAR(11) NOT NULL,
  country CHAR(2) NOT NULL,
  newsletter BOOLEAN NOT NULL DEFAULT FALSE,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE orders (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id INT UNSIGNED NOT NULL,
  product VARCHAR(100) NOT NULL,
  quantity SMALLINT UNSIGNED NOT NULL,
  amount DECIMAL(10, 2) NOT NULL,
  status ENUM('new', 'paid', 'shipped', 'returned') NOT NULL DEFAULT 'new',
  placed_at DATETIME NOT NULL,
  KEY by_customer (customer_id),
  CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
);

INSERT INTO customers (name, email, phone, card_number, card_expires, ssn, country, newsletter, created_at) VALUES
  ('Customer 1', 'customer1@example.com', '+1 555 0100', '4111111111111111', '11/29', '900-10-0001', 'US', TRUE, '2024-01-03 09:12:44'),
  ('Customer 2', 'customer2@example.com', '+1 555 0101', '5555555555554444', '02/30', '900-10-0002', 'US', FALSE, '2024-01-17 16:40:02'),
  ('Customer 3', 'customer3@example.org', '+44 1632 960001', '4012888888881881', '07/28', '900-10-0003', 'GB', TRUE, '2024-02-08 11:05:31'),
  ('Customer 4', 'customer4@example.org', NULL, '5105105105105100', '09/29', '900-10-0004', 'GB', FALSE, '2024-03-21 20:18:09'),
  ('Kundin 5', 'kundin5@example.net', '+49 30 23125001', '4222222222222000', '12/27', '900-10-0005', 'DE', TRUE, '2024-04-02 07:55:58'),
  ('Client n° 6', 'client6@example.net', '+33 1 99 00 00 06', '6011111111111117', '05/31', '900-10-0006', 'FR', FALSE, '2024-05-14 13:27:40'),
  ('顧客 7', 'customer7@example.com', '+81 3 5550 0007', '3530111333300000', '08/30', '900-10-0007', 'JP', TRUE, '2024-06-30 23:59:59'),
  ('العميل 8', 'customer8@example.com', NULL, '6011000990139424', '03/28', '900-10-0008', 'EG', FALSE, '2024-08-11 05:44:13');

INSERT INTO orders (customer_id, product, quantity, amount, status, placed_at) VALUES
  (1, 'Espresso machine', 1, 349.00, 'shipped', '2025-01-05 10:00:00'),
  (1, 'Coffee beans 1 kg', 4, 71.60, 'paid', '2025-02-11 08:30:00'),
  (2, 'Desk lamp', 2, 89.80, 'shipped', '2025-02-14 17:21:09'),
  (3, 'Hiking boots', 1, 159.95, 'returned', '2025-03-01 12:00:00'),
  (3, 'Rain jacket', 1, 119.00, 'shipped', '2025-03-02 12:45:00'),
  (4, 'Notebook A5', 10, 39.50, 'paid', '2025-03-19 09:09:09'),
  (5, 'Chess set', 1, 64.00, 'new', '2025-04-07 19:30:30'),
  (6, 'Fountain pen', 3, 88.20, 'shipped', '2025-04-22 15:15:15'),
  (7, 'Tea pot', 1, 45.00, 'paid', '2025-05-05 06:00:00'),
  (7, 'Green tea 250 g', 6, 83.40, 'new', '2025-05-06 06:10:00'),
  (8, 'Headphones', 1, 229.99, 'shipped', '2025-05-20 21:05:47'),
  (1, 'Milk jug', 2, 33.00, 'new', '2025-06-01 11:11:11');
