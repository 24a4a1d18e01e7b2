/** Pages to sign up, in and out, as plain forms; and what pages load. */
import { z } from 'zod'
import { signIn } from '../flows/sign-in.ts'
import { signUp } from '../flows/sign-up.ts'
import { parseInput } from '../http/input.ts'
import {
  formFields,
  goTo,
  nameCaller,
  pageSpec,
  refusalOf,
  showFailure,
  showPage,
} from '../http/page.ts'
import { defineRoute } from '../http/route.ts'
import { type Asset, icon, stylesheet } from '../pages/assets.ts'
import { signInPage, signOutPage, signUpPage } from '../pages/identity.ts'
import { homeRoutes } from './pages-home.ts'
import { signUpInput } from './users.ts'

const getLogin = defineRoute(
  { ...pageSpec, method: 'GET', path: '/login', summary: 'Sign in', caller: 'visitor' },
  async (_deps, { caller }) => (caller ? goTo('/') : showPage(signInPage())),
)

const postLogin = defineRoute(
  {
    ...pageSpec,
    method: 'POST',
    path: '/login',
    summary: 'Sign in',
    caller: 'visitor',
    startsSession: true,
    form: true,
    body: formFields,
  },
  async (deps, { body, address }) => {
    const { email = '', password = '' } = body
    try {
      const entry = await signIn(deps, { email, password, address })
      return { ...goTo('/'), signIn: entry }
    } catch (error) {
      return showFailure(refusalOf(error), (failure) => signInPage(email, failure))
    }
  },
)

const getSignup = defineRoute(
  { ...pageSpec, method: 'GET', path: '/signup', summary: 'Sign up', caller: 'visitor' },
  async (_deps, { caller }) => (caller ? goTo('/') : showPage(signUpPage())),
)

const postSignup = defineRoute(
  {
    ...pageSpec,
    method: 'POST',
    path: '/signup',
    summary: 'Sign up',
    caller: 'visitor',
    startsSession: true,
    form: true,
    body: formFields,
  },
  async (deps, { body, address }) => {
    const { name = '', email = '', username = '', password = '' } = body
    try {
      const input = parseInput(signUpInput, {
        name,
        email: email.trim(),
        password,
        ...(username === '' ? {} : { username: username.trim().toLowerCase() }),
      })
      const user = await signUp(deps, { ...input, address })
      return { ...goTo('/'), signIn: { userId: user.id } }
    } catch (error) {
      const render = signUpPage.bind(undefined, { name, email, username })
      return showFailure(refusalOf(error), render)
    }
  },
)

const getLogout = defineRoute(
  { ...pageSpec, method: 'GET', path: '/logout', summary: 'Sign out', caller: 'visitor' },
  async (_deps, { caller }) =>
    caller ? showPage(signOutPage(nameCaller(caller))) : goTo('/login'),
)

const postLogout = defineRoute(
  { ...pageSpec, method: 'POST', path: '/logout', summary: 'Sign out', caller: 'visitor' },
  async () => ({ ...goTo('/login'), signOut: true }),
)

const getAsset = ({ path, content, contentType }: Asset) =>
  defineRoute(
    {
      method: 'GET',
      path,
      summary: 'A file that pages load',
      tags: ['Pages'],
      caller: 'anyone',
      hidden: true,
      responses: { 200: { description: 'The file', contentType, body: z.string() } },
      refusals: [],
    },
    async () => ({
      status: 200,
      body: content,
      headers: { 'Cache-Control': 'public, max-age=31536000, immutable' },
    }),
  )

export const pageRoutes = [
  ...homeRoutes,
  getLogin,
  postLogin,
  getSignup,
  postSignup,
  getLogout,
  postLogout,
  getAsset(stylesheet),
  getAsset(icon),
]
