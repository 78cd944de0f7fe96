-- One role per service. Run when PostgreSQL's volume is new, and again on one that is older (docs/deploy.md): it changes
-- only what is missing. Passwords come from the environment of psql and stand in no command line. What the roles of
-- worker and scorer may do with each table the gateway says, which owns them (shared/store/sql/connection/roles.py).
\set ON_ERROR_STOP on
\getenv gateway_password GATEWAY_DATABASE_PASSWORD
\getenv worker_password WORKER_DATABASE_PASSWORD
\getenv scorer_password SCORER_DATABASE_PASSWORD
\getenv mlflow_password MLFLOW_DATABASE_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', role)
  FROM unnest(ARRAY['ringtrue_gateway', 'ringtrue_worker', 'ringtrue_scorer', 'ringtrue_mlflow']) AS role
 WHERE role NOT IN (SELECT rolname FROM pg_roles) \gexec
ALTER ROLE ringtrue_gateway PASSWORD :'gateway_password';
ALTER ROLE ringtrue_worker PASSWORD :'worker_password';
ALTER ROLE ringtrue_scorer PASSWORD :'scorer_password';
ALTER ROLE ringtrue_mlflow PASSWORD :'mlflow_password';

SELECT 'CREATE DATABASE mlflow ENCODING ''UTF8'' TEMPLATE template0'
 WHERE 'mlflow' NOT IN (SELECT datname FROM pg_database) \gexec
ALTER DATABASE ringtrue OWNER TO ringtrue_gateway;
ALTER DATABASE mlflow OWNER TO ringtrue_mlflow;
REVOKE ALL ON DATABASE ringtrue, mlflow, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE ringtrue TO ringtrue_worker, ringtrue_scorer;

\connect ringtrue
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO ringtrue_gateway;
GRANT USAGE ON SCHEMA public TO ringtrue_worker, ringtrue_scorer;
SELECT format('ALTER TABLE %I OWNER TO ringtrue_gateway', tablename)
  FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'ringtrue_gateway' \gexec

\connect mlflow
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO ringtrue_mlflow;
SELECT format('ALTER TABLE %I OWNER TO ringtrue_mlflow', tablename)
  FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'ringtrue_mlflow' \gexec
SELECT format('ALTER SEQUENCE %I OWNER TO ringtrue_mlflow', c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind = 'S' AND c.relowner <> 'ringtrue_mlflow'::regrole
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i')) \gexec
