# Everything a person runs here. Needs make and Python 3.11, 3.12 or 3.13; the rest is installed into .venv.
#   make run    the portal with demo data and a practice desk, on this machine alone
#   make test   the tests that need no server of their own
#   make help   the other targets

VENV ?= .venv
# The first Python on this machine that fits; `make PYTHON=/path/to/python` chooses another.
FITS := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c '$(FITS)' 2>/dev/null && echo $$python && break; done)
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes
RUN := $(VENV)/bin/python
PYTEST_ARGS ?= -n 3

.PHONY: help run test test-znuny lint pins screenshots clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## */  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 was not found. Install one (with its venv module), or name it: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps are touched only after pip ended well, so an interrupted installation is done again.
$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing the pinned packages into $(VENV) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing the pinned packages into $(VENV), those for tests too ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

run: $(VENV)/.installed  ## start the demo; PORT and PRACTICE_DESK_PORT move it, Ctrl-C stops it
	@ENVIRONMENT=demo exec $(RUN) manage.py run_demo

test: $(VENV)/.installed-dev  ## run the tests; PYTEST_ARGS="-n 2 tests/portal" narrows them
	$(RUN) -m pytest $(PYTEST_ARGS)

test-znuny: $(VENV)/.installed-dev  ## install a real Znuny and exchange with it; as root, on Debian 12
	$(RUN) -m tests.znuny

# The checks of the deployment run on the environment that docs/operators.md asks for, without a server behind it.
lint: $(VENV)/.installed-dev  ## style, types, deployment checks, missing migrations
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy portal tickets integrations
	ENVIRONMENT=test $(RUN) manage.py makemigrations --check --dry-run
	ENVIRONMENT=production DATABASE_URL=postgres://deskbridge@127.0.0.1/deskbridge CELERY_BROKER_URL=amqp://127.0.0.1// \
		PORTAL_URL=https://desk.example.org ALLOWED_HOSTS=desk.example.org \
		SECRET_KEY=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(50))') \
		ENCRYPTION_KEYS=$$(ENVIRONMENT=test $(RUN) manage.py generate_key) \
		$(RUN) manage.py check --deploy --fail-level WARNING

# --no-emit-index-url and no lock file: no address of a registry may end up in the repository.
PIN = $(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make pins" pyproject.toml
pins: $(VENV)/.installed-dev  ## pin the newest versions that pyproject.toml admits
	$(RUN) -m pip --disable-pip-version-check install --quiet uv
	$(PIN) --upgrade --output-file requirements.txt
	$(PIN) --upgrade --extra dev --constraint requirements.txt --output-file requirements-dev.txt

screenshots: $(VENV)/.installed-dev  ## take the pictures of the documentation again
	$(RUN) -m tests.browser.screenshots

clean:  ## remove the virtual environments and caches; what the demo keeps under var/ stays
	rm -rf .venv .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
