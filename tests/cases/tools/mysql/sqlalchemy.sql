-- SQLAlchemy 2.0 with PyMySQL: Inspector and MetaData.reflect.
-- Each statement stands below a line with the servers that it is for.

--# both
SET NAMES utf8mb4

--# both
SET AUTOCOMMIT = 0

--# both
SELECT VERSION()

--# both
SELECT DATABASE()

--# mariadb
SELECT @@tx_isolation

--# both
SELECT @@sql_mode

--# both
SELECT @@lower_case_table_names

--# both
ROLLBACK

--# both
SHOW schemas

--# both
SHOW FULL TABLES FROM `legacy`

--# mariadb
SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_TYPE='SEQUENCE' and TABLE_SCHEMA='legacy'

--# both
SHOW CREATE TABLE `legacy`.`customers`

--# both
SHOW CREATE TABLE `legacy`.`orders`

--# both
DESCRIBE `legacy`.`customers`

--# both
DESCRIBE `legacy`.`v`

--# both
select 1

--# mysql
SELECT @@transaction_isolation

--# mysql
select @@version_comment limit 1
