import { html } from './html.ts'
import { alert, type Failure, field, layout } from './layout.ts'

/** The form to sign in; `email` is what was typed before. */
export function signInPage(email = '', failure?: Failure): string {
  const content = html`<section class="narrow">
    <h1>Sign in</h1>
    ${alert(failure)}
    <form method="post" action="/login">
      ${field({ name: 'email', label: 'E-mail', type: 'email', value: email, autocomplete: 'username' }, failure)}
      ${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' }, failure)}
      <button>Sign in</button>
    </form>
    <p class="aside">New here? <a href="/signup">Open an account</a></p>
  </section>`
  return layout('Sign in', content)
}

export interface SignUpForm {
  name: string
  email: string
  username: string
}

/** The form to sign up; `form` is what was typed before. The password is never sent back. */
export function signUpPage(
  form: SignUpForm = { name: '', email: '', username: '' },
  failure?: Failure,
): string {
  const content = html`<section class="narrow">
    <h1>Open an account</h1>
    <p class="lead">It comes with a first wallet.</p>
    ${alert(failure)}
    <form method="post" action="/signup">
      ${field({ name: 'name', label: 'Name', value: form.name, autocomplete: 'name', maxlength: 100 }, failure)}
      ${field({ name: 'email', label: 'E-mail', type: 'email', value: form.email, autocomplete: 'email' }, failure)}
      ${field({ name: 'username', label: 'Username', value: form.username, autocomplete: 'username', maxlength: 30, required: false, hint: 'Others can pay you by it: 3 to 30 of a–z 0–9 _ .' }, failure)}
      ${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'new-password', hint: 'At least 8 characters, and not a common one' }, failure)}
      <button>Open an account</button>
    </form>
    <p class="aside">Already here? <a href="/login">Sign in</a></p>
  </section>`
  return layout('Open an account', content)
}

/** The question before signing out. */
export function signOutPage(who: string): string {
  const content = html`<section class="narrow">
    <h1>Sign out</h1>
    <p>You are signed in as ${who}.</p>
    <form method="post" action="/logout"><button>Sign out</button></form>
    <p class="aside"><a href="/">Back to your wallets</a></p>
  </section>`
  return layout('Sign out', content)
}
