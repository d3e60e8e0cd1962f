"""The names of all environment variables that some part reads.

The three are often given one environment, so each must know the others' names, to warn of those that nobody reads. A
test holds the list against their settings.
"""

SETTINGS = frozenset(
    {
        "CHEX_AUTH",
        "CHEX_BURNED_IN",
        "CHEX_CHEST_THRESHOLD",
        "CHEX_CLASSIFY_TIMEOUT_S",
        "CHEX_CORS_ORIGINS",
        "CHEX_DATA_DIR",
        "CHEX_DECODE_MAX_QUEUE",
        "CHEX_DECODE_THREADS",
        "CHEX_DEVICE",
        "CHEX_GATEWAY_DIR",
        "CHEX_GATEWAY_PORT",
        "CHEX_HOST",
        "CHEX_IMAGE_MAX_BATCH",
        "CHEX_IMAGE_MAX_BYTES",
        "CHEX_IMAGE_MAX_FRAMES",
        "CHEX_IMAGE_MAX_PIXELS",
        "CHEX_IMAGE_MAX_QUEUE",
        "CHEX_IMAGE_MODEL",
        "CHEX_INDEX_PORT",
        "CHEX_INDEX_URL",
        "CHEX_KEEP_STUDY_DATE",
        "CHEX_LOG_LEVEL",
        "CHEX_LONG_REQUEST_TIMEOUT_S",
        "CHEX_MAX_AT_WORK",
        "CHEX_MAX_CONNECTIONS",
        "CHEX_MAX_JSON_BYTES",
        "CHEX_MAX_UPLOADS",
        "CHEX_MAX_UPLOAD_BYTES",
        "CHEX_MAX_WAITING",
        "CHEX_MIN_FREE_BYTES",
        "CHEX_OIDC_ALGORITHMS",
        "CHEX_OIDC_AUDIENCE",
        "CHEX_OIDC_ISSUER",
        "CHEX_OIDC_JWKS_URL",
        "CHEX_OIDC_RIGHT_PREFIX",
        "CHEX_PATIENT_KEY",
        "CHEX_PRIOR",
        "CHEX_PUBLIC_URL",
        "CHEX_READINESS_TIMEOUT_S",
        "CHEX_REQUEST_TIMEOUT_S",
        "CHEX_ROOT_PATH",
        "CHEX_SEARCH_TIMEOUT_S",
        "CHEX_SERVICE_TOKEN",
        "CHEX_SERVICE_TOKEN_FILE",
        "CHEX_SHUTDOWN_GRACE_S",
        "CHEX_TEXT_MAX_QUEUE",
        "CHEX_TEXT_MAX_TOKENS",
        "CHEX_TEXT_MODEL",
        "CHEX_TEXT_PORT",
        "CHEX_TEXT_URL",
        "CHEX_THREADS",
        "CHEX_UPLOAD_TIMEOUT_S",
        "CHEX_VIEWER_URL",
        "CHEX_WADO_RS_URL",
    }
)
# By the compose file, by commands that call a gateway, and by the tests.
READ_ELSEWHERE = frozenset(
    {
        "CHEX_BENCHMARK_IMAGES",
        "CHEX_CLIENT_KEY",
        "CHEX_DAMAGED_FILES",
        "CHEX_KILL_ROUNDS",
        "CHEX_PUBLISH",
        "CHEX_ROBUSTNESS_EXAMPLES",
        "CHEX_SHARED_DATA",
    }
)
