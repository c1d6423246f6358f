import tseslint from 'typescript-eslint';

/** Where time, chance and the environment are the code's own business. */
const edges = ['local/**', 'cli/**', 'web/**', 'tests/**', 'bench/**', '*.js', '*.ts'];

const timeAndChance = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Time comes from the Clock port.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Time comes from the Clock port.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Chance comes from the Chance port.',
  },
];
const environment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Only shared/runtime/config.ts reads the environment.',
};
const casts = [
  {
    selector: 'TSAsExpression:not([typeAnnotation.typeName.name="const"])',
    message: 'Parse unknown data with zod instead of casting it.',
  },
  { selector: 'TSTypeAssertion', message: 'Parse unknown data with zod instead of casting it.' },
];

export default tseslint.config(
  { ignores: ['node_modules', '.serverless', '.esbuild', '.drayage', 'coverage', 'web/dist', '**/*.cjs'] },
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowThrowingUnknown: true, allowThrowingAny: true },
      ],
      // Functions that keep a port's promise may have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // A parameter that ties a name to its record's type often stands once.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...casts, ...timeAndChance, environment],
    },
  },
  {
    files: ['shared/runtime/config.ts'],
    rules: { 'no-restricted-syntax': ['error', ...casts, ...timeAndChance] },
  },
  {
    files: ['shared/runtime/clock.ts', 'shared/runtime/chance.ts'],
    rules: { 'no-restricted-syntax': ['error', ...casts, environment] },
  },
  { files: edges, rules: { 'no-restricted-syntax': ['error', ...casts], 'no-console': 'off' } },
  // Test doubles have every member of a type, those that AWS keeps for old code too.
  { files: ['tests/support/**'], rules: { '@typescript-eslint/no-deprecated': 'off' } },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
